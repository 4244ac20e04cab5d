using System.Buffers;
using CsvHelper;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Sources;

/// <summary>
/// Records of a delimited text, one at a time: delimiter found by itself, quotes by RFC 4180, any line end, blank records left out.
/// Holds one record in memory. Throws <c>invalid_manifest</c> naming the line where quotes do not balance.
/// </summary>
internal sealed class DelimitedTable : IAsyncDisposable
{
    /// <summary>Longest record, in bytes of UTF-8: what is longer is an open quote or no table.</summary>
    private const int MaxRecordSize = 1 << 20;

    /// <summary>Stands between the columns of a table that has only one.</summary>
    private const char NoDelimiter = '\u001F';

    private static readonly SearchValues<char> Telling = SearchValues.Create(",;\t|\"");

    private readonly CsvReader _reader;
    private CsvMalformedRecord? _malformed;

    private DelimitedTable(TextReader text, string encoding, string firstLine)
    {
        Encoding = encoding;
        _reader = CsvReader.Create(text, new CsvReaderOptions
        {
            HasHeader = false,
            // A plain list of addresses: the commas in some of them part nothing.
            Separator = firstLine.AsSpan().ContainsAny(Telling) ? null : NoDelimiter,
            TrackLineNumbers = true,
            SkipEmptyLines = false,
            MaxRecordSize = MaxRecordSize,
            MalformedData = CsvMalformedDataHandling.Recover,
            OnMalformedRecord = record => _malformed = record,
        });
    }

    public string Encoding { get; }

    /// <summary>Known once a record has been read.</summary>
    public char Delimiter => _reader.Separator is var found && found == NoDelimiter ? ',' : found;

    /// <summary>Where the current record begins, counted as UTF-8.</summary>
    public long ByteOffset => _reader.ByteOffset;

    /// <summary>1-based line where the current record begins.</summary>
    public int Line => (int)_reader.LineNumber;

    public int BlankRecords { get; private set; }

    /// <summary>Opens a table; the stream stays open afterwards.</summary>
    public static async Task<DelimitedTable> OpenAsync(Stream stream, CancellationToken ct)
    {
        var (text, encoding, firstLine) = await ManifestText.OpenAsync(stream, ct);
        return new DelimitedTable(text, encoding, firstLine);
    }

    /// <summary>Goes to the next record that holds any text; false at the end.</summary>
    public async Task<bool> ReadAsync(CancellationToken ct)
    {
        while (await NextAsync(ct))
        {
            if (!IsBlank())
                return true;
            BlankRecords++;
        }
        return false;
    }

    /// <summary>The current record's cells as they are, but for U+0000, which the database does not take.</summary>
    public string[] Cells()
    {
        var cells = new string[_reader.FieldCount];
        for (var i = 0; i < cells.Length; i++)
            cells[i] = _reader.GetString(i).Replace('\0', '\uFFFD');
        return cells;
    }

    public async ValueTask DisposeAsync() => await _reader.DisposeAsync();

    private async Task<bool> NextAsync(CancellationToken ct)
    {
        bool found;
        try
        {
            found = await _reader.ReadAsync(ct);
        }
        catch (CsvFormatException e)
        {
            throw new IngestionException(ErrorCodes.InvalidManifest, $"Line {e.LineNumber}: a quote is not closed, or the row is longer than 1 MB.", e);
        }
        return _malformed switch
        {
            { Reason: CsvMalformedReason.UnterminatedQuote } open =>
                throw new IngestionException(ErrorCodes.InvalidManifest, $"Line {open.LineNumber}: a quote is opened and not closed."),
            { Reason: CsvMalformedReason.TextAfterClosingQuote } after =>
                throw new IngestionException(ErrorCodes.InvalidManifest, $"Line {after.LineNumber}: the quotes do not balance."),
            // A lone quote inside a cell (5" disk) is text.
            _ => found,
        };
    }

    private bool IsBlank()
    {
        for (var i = 0; i < _reader.FieldCount; i++)
        {
            if (!string.IsNullOrWhiteSpace(_reader.GetString(i)))
                return false;
        }
        return true;
    }
}
