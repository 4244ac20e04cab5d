using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Components.Pages.Batches;

/// <summary>What the dialog answers: which documents run again, and with which options.</summary>
public sealed record RetryChoice(RetryScope Scope, ProcessingOptions Options);
