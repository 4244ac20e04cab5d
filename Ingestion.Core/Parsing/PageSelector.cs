namespace Ingestion.Core.Parsing;

/// <summary>A question to a web page: the first element that a CSS selector finds, its text or one of its attributes.</summary>
public sealed record PageSelector(string Selector, string? Attribute = null);
