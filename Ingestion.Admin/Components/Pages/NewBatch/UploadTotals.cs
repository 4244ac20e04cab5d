namespace Ingestion.Admin.Components.Pages.NewBatch;

/// <summary>The browser's uploads, summed up as upload.js reports them: rows by state, and bytes.</summary>
/// <param name="Interrupted">Begun in an earlier visit: the browser has to be given the file again.</param>
/// <param name="LeftOut">Files that operating systems leave in folders.</param>
public sealed record UploadTotals(
    int Waiting, int Sending, int Done, int Failed, int Refused, int Interrupted, int Total, long Bytes, long Sent, int LeftOut, long BytesPerSecond)
{
    public static readonly UploadTotals None = new(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

    /// <summary>Bytes are on their way, or wait for their turn.</summary>
    public bool Busy => Waiting + Sending > 0;

    /// <summary>Rows that need a person.</summary>
    public int Problems => Failed + Refused + Interrupted;

    /// <summary>0 to 1.</summary>
    public double Share => Bytes == 0 ? 0 : Math.Min(1, (double)Sent / Bytes);
}

/// <summary>One file as upload.js shows it.</summary>
/// <param name="Key">Names the row to upload.js.</param>
/// <param name="State">waiting, sending, done, failed, refused or interrupted.</param>
public sealed record UploadRow(int Key, string Path, long Size, long Sent, string State, string? Error);

/// <summary>Some rows of a longer list.</summary>
public sealed record UploadWindow(int Total, IReadOnlyList<UploadRow> Rows);

/// <summary>A file that was not taken, and why.</summary>
public sealed record RefusedFile(string Path, string Why);
