using Radzen;

namespace Ingestion.Admin.Components.Parts;

/// <summary>Asks before something that cannot be taken back.</summary>
/// <param name="Title">The question: <c>Cancel this batch?</c></param>
/// <param name="Text">What it hits and how many: <c>1,240 documents that have not started are dropped.</c></param>
/// <param name="Action">The verb on the button, never "OK": <c>Cancel batch</c>.</param>
/// <param name="Keep">The words on the way back.</param>
/// <param name="Destructive">True where something is lost.</param>
public sealed record Confirmation(string Title, string Text, string Action, string Keep = "Keep it", bool Destructive = true);

public static class Confirm
{
    /// <summary>True where the person chose the action; closing the dialog in any other way is a no.</summary>
    public static async Task<bool> ConfirmAsync(this DialogService dialogs, Confirmation question)
    {
        var answer = await dialogs.OpenAsync<ConfirmDialog>(
            question.Title,
            new Dictionary<string, object?> { [nameof(ConfirmDialog.Question)] = question },
            new DialogOptions { Width = "min(28rem, calc(100vw - 2rem))", CloseDialogOnEsc = true, CloseDialogOnOverlayClick = true, AutoFocusFirstElement = true });
        return answer is true;
    }
}
