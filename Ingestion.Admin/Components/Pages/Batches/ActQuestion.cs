using Radzen;

namespace Ingestion.Admin.Components.Pages.Batches;

/// <summary>What is asked before an act that hits much: what and how many, with room for a reason.</summary>
/// <param name="Action">The verb on the button.</param>
/// <param name="Keep">The words on the way back.</param>
/// <param name="Option">A further wish that can be ticked; null for none.</param>
/// <param name="Destructive">True where something is lost.</param>
public sealed record ActQuestion(string Title, string Text, string Action, string Keep, string? Option = null, bool Destructive = true)
{
    /// <summary>The answer; null where the person went back.</summary>
    public async Task<ActAnswer?> AskAsync(DialogService dialogs) => await dialogs.OpenAsync<ActDialog>(
        Title,
        new Dictionary<string, object?> { [nameof(ActDialog.Question)] = this },
        new DialogOptions { Width = "min(30rem, calc(100vw - 2rem))", CloseDialogOnEsc = true, CloseDialogOnOverlayClick = true, AutoFocusFirstElement = true }) as ActAnswer;
}

/// <param name="Reason">Null where none was given.</param>
/// <param name="Ticked">True where the option was.</param>
public sealed record ActAnswer(string? Reason, bool Ticked);
