using System.Globalization;
using System.Text.Json;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Components.Pages.NewBatch;

/// <summary>
/// The draft behind one open wizard. It is made at the first input and saved as it changes; what is out of range stays in the form and
/// is not saved until it fits.
/// </summary>
public sealed class DraftSession(Drafts drafts, BatchQueries batches, Actor actor, ProcessingOptions defaults, TimeProvider time)
{
    private readonly SemaphoreSlim _gate = new(1, 1);
    private SubmissionRequest? _saved;

    /// <summary>Raised when the draft came to be, or was found launched or discarded.</summary>
    public event Func<Task>? Changed;

    public Actor Actor { get; } = actor;

    /// <summary>Null until something was put in.</summary>
    public string? PublicId { get; private set; }

    /// <summary>The row behind the public id; 0 while there is none.</summary>
    public long Id { get; private set; }

    /// <summary>The draft was launched or discarded, here or elsewhere.</summary>
    public bool Gone { get; private set; }

    public SubmissionRequest Form { get; private set; } = new(DefaultName(time)) { Options = defaults };

    /// <summary>Problems of the options: the property, and what it must be.</summary>
    public IReadOnlyDictionary<string, string> Problems { get; private set; } = new Dictionary<string, string>();

    /// <summary>Takes up a draft that exists. False where it does not; <see cref="Gone"/> tells of one that is no draft any more.</summary>
    public async Task<bool> OpenAsync(string publicId, CancellationToken ct)
    {
        if (await batches.FindAsync(Actor.Scope, publicId, ct) is not { } view) return false;
        (PublicId, Id, Gone) = (view.PublicId, view.Id, !view.Draft);
        _saved = Form = new SubmissionRequest(view.Name)
        {
            Description = view.Description, Collection = view.CollectionKey, Priority = view.Priority,
            Options = ProcessingOptions.Read(JsonDocument.Parse(view.Options).RootElement, defaults),
        };
        return true;
    }

    /// <summary>The draft, made now where there is none. A folder's name is a better name for it than the day.</summary>
    public async Task<string> EnsureAsync(string suggestedName, CancellationToken ct)
    {
        await _gate.WaitAsync(ct);
        try
        {
            if (PublicId is { } there) return there;
            if (suggestedName.Trim() is { Length: > 0 and <= 200 } name) Form = Form with { Name = name };
            var created = await drafts.CreateAsync(Actor, Problems.Count == 0 ? Form : Form with { Options = defaults }, ct);
            (Id, PublicId, _saved) = (created.BatchId, created.PublicId, Form);
        }
        finally
        {
            _gate.Release();
        }
        if (Changed is { } changed) await changed();
        return PublicId;
    }

    /// <summary>Keeps the form, and saves it where it is in order.</summary>
    public async Task SetAsync(SubmissionRequest form, CancellationToken ct)
    {
        Form = form;
        Problems = Check(form);
        if (Problems.Count > 0) return;
        await EnsureAsync("", ct);
        var gone = false;
        await _gate.WaitAsync(ct);
        try
        {
            // Of many keystrokes that waited here the first saves the newest state, and the rest find nothing to do.
            if (Problems.Count == 0 && !ReferenceEquals(_saved, Form))
            {
                var newest = Form;
                gone = !await drafts.SaveAsync(Actor, Id, newest, ct);
                _saved = newest;
            }
        }
        finally
        {
            _gate.Release();
        }
        if (gone) await SetGoneAsync();
    }

    /// <summary>Says that somebody else launched or discarded it.</summary>
    public Task SetGoneAsync()
    {
        Gone = true;
        return Changed?.Invoke() ?? Task.CompletedTask;
    }

    private static Dictionary<string, string> Check(SubmissionRequest form)
    {
        var problems = form.Options.Problems().ToDictionary(p => p.Property, p => p.Must);
        if (string.IsNullOrWhiteSpace(form.Name)) problems[nameof(form.Name)] = "must not be empty";
        else if (form.Name.Length > 200) problems[nameof(form.Name)] = "must have at most 200 characters";
        return problems;
    }

    private static string DefaultName(TimeProvider time) => $"Batch of {time.GetUtcNow().ToString("d MMMM yyyy, HH:mm", CultureInfo.InvariantCulture)} UTC";
}
