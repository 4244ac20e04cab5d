using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Components.Pages.Batches;

/// <summary>What the dialog answers: which documents run again, and with which options.</summary>
/// <param name="Seen">The options that stood there when they were changed, as JSON.</param>
/// <param name="Reason">Null where none was given.</param>
public sealed record RetryChoice(RetryScope Scope, ProcessingOptions Options, string Seen, string? Reason);
