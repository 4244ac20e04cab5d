using System.CommandLine;

namespace Ingestion.Admin.Cli.Client;

/// <summary><c>ingestion export ID</c>: every document of a batch with how it ended, as a file.</summary>
internal sealed class ExportCommand : ClientCommand
{
    private readonly Argument<string> _id = new("id") { Description = "Id of the batch." };
    private readonly Option<string> _format = new("--format") { Description = "csv, json or jsonl.", DefaultValueFactory = _ => "csv" };
    private readonly Option<FileInfo?> _output = new("--output", "-o") { Description = "The file to write; else it is printed.", HelpName = "file" };

    public ExportCommand()
        : base("export", "Write every document of a batch with how it ended: for spreadsheets (csv), programs (json) or line by line (jsonl).")
    {
        _format.AcceptOnlyFromAmong("csv", "json", "jsonl");
        Arguments.Add(_id);
        Options.Add(_format);
        Options.Add(_output);
    }

    protected override async Task<int> RunAsync(ApiClient api, ParseResult parsed, CancellationToken ct)
    {
        var path = $"v1/admin/bulk-import/batches/{Uri.EscapeDataString(parsed.GetRequiredValue(_id))}/export?format={parsed.GetValue(_format)}";
        if (parsed.GetValue(_output) is { } chosen)
        {
            // Beside it first: a download that breaks leaves no half of a file under the wanted name.
            var beside = chosen.FullName + ".part";
            await using (var file = File.Create(beside)) await api.CopyAsync(path, file, ct);
            File.Move(beside, chosen.FullName, overwrite: true);
            return ExitCodes.Done;
        }
        using var text = new MemoryStream();
        if (ReferenceEquals(parsed.InvocationConfiguration.Output, Console.Out))
        {
            await using var stdout = Console.OpenStandardOutput();
            await api.CopyAsync(path, stdout, ct);
            return ExitCodes.Done;
        }
        await api.CopyAsync(path, text, ct);
        await parsed.InvocationConfiguration.Output.WriteAsync(System.Text.Encoding.UTF8.GetString(text.ToArray()).TrimStart('\uFEFF'));
        return ExitCodes.Done;
    }
}
