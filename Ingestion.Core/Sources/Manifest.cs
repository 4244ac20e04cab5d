namespace Ingestion.Core.Sources;

/// <summary>Which columns of a manifest mean what; every other column is metadata. Names are compared without regard to case.</summary>
public sealed record ManifestMapping(string UrlColumn, string? TitleColumn = null);

/// <summary>One row of a manifest. Its address is as written: whether it can be fetched is judged later, so that no row vanishes.</summary>
/// <param name="RowNumber">1 for the first row of data; blank rows are not counted.</param>
/// <param name="Line">1-based line of the file where the row begins.</param>
/// <param name="Url">Surrounding blanks removed; empty where the cell is.</param>
/// <param name="Title">Null where there is no such column or the cell is blank.</param>
/// <param name="Metadata">Column name to cell, blank cells left out.</param>
public sealed record ManifestRow(int RowNumber, int Line, string Url, string? Title, IReadOnlyDictionary<string, string> Metadata);

/// <summary>What a manifest looks like, for a person to confirm.</summary>
/// <param name="Encoding">Of the text: <c>utf-8</c>, <c>utf-16</c>, <c>windows-1252</c> …</param>
/// <param name="HasHeader">False where the first row already holds an address; columns are then named by number.</param>
/// <param name="Columns">Unique names: blank ones numbered, repeated ones with a number added.</param>
/// <param name="Rows">The first ten rows of data, a cell per column.</param>
/// <param name="Mapping">A guess; null where no column looks like addresses.</param>
/// <param name="EstimatedRows">Exact for small files; null where the length of the stream is unknown.</param>
public sealed record ManifestPreview(
    char Delimiter,
    string Encoding,
    bool HasHeader,
    IReadOnlyList<string> Columns,
    IReadOnlyList<IReadOnlyList<string>> Rows,
    ManifestMapping? Mapping,
    long? EstimatedRows);

/// <param name="Rows">Rows of data.</param>
/// <param name="BlankRows">Rows without any text, which are skipped.</param>
public sealed record ManifestCount(int Rows, int BlankRows);
