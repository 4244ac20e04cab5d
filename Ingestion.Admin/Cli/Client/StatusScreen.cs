using System.Globalization;
using System.Text;

namespace Ingestion.Admin.Cli.Client;

/// <summary>Shows a batch as it changes: a few lines that are drawn again in a terminal, a line for each change in a pipe.</summary>
internal sealed class StatusScreen(TextWriter output, bool terminal, Func<int> width, TimeProvider clock)
{
    private const int Bar = 30;
    private const int MaxWaiting = 3;
    private int _drawn;
    private string? _last;

    public async Task ShowAsync(BatchOutcome batch)
    {
        if (terminal) await DrawAsync(Lines(batch));
        else await SayAsync(Line(batch));
    }

    /// <summary>A passing trouble, below what is shown.</summary>
    public async Task TroubleAsync(string sentence)
    {
        if (terminal) await DrawAsync([.. (_last ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries), sentence], keep: false);
        else await SayAsync(sentence);
    }

    /// <summary>The lines of the terminal.</summary>
    internal static IReadOnlyList<string> Lines(BatchOutcome b)
    {
        var lines = new List<string>
        {
            $"{b.Name}  {b.Id}  {b.State}",
            Measure(b.Download), Measure(b.Ingestion), Measure(new(b.Overall, "Overall")),
            $"{Number(b.Done)} done, {Number(b.Skipped)} skipped, {Number(b.Failed)} failed, {Number(b.Cancelled)} cancelled, {Number(b.Open)} open{(b.Discovering ? ", still discovering" : "")}",
            b.Sentence,
        };
        if (b.HasEnded) return lines;
        lines.AddRange(b.Waiting.Take(MaxWaiting).Select(w => $"  {Number(w.Count)} × {w.Sentence}"));
        return lines;
    }

    /// <summary>The line of a pipe, without the time before it.</summary>
    internal static string Line(BatchOutcome b) => string.Create(CultureInfo.InvariantCulture,
        $"{b.Id} {b.State}: {b.Download.Text}, {b.Ingestion.Text}, overall {b.Overall:0.0} %, {b.Failed} failed");

    private async Task SayAsync(string line)
    {
        if (line == _last) return;
        _last = line;
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{clock.GetUtcNow():yyyy-MM-ddTHH:mm:ssZ} {line}"));
        await output.FlushAsync();
    }

    // One write for each picture: a reader of the terminal never sees half of it.
    private async Task DrawAsync(IReadOnlyList<string> lines, bool keep = true)
    {
        var columns = Math.Max(20, width());
        var text = new StringBuilder();
        if (_drawn > 0) text.Append(CultureInfo.InvariantCulture, $"\u001b[{_drawn}A");
        foreach (var line in lines) text.Append("\u001b[2K").Append(line.Length < columns ? line : line[..(columns - 2)] + "…").Append('\n');
        text.Append("\u001b[J");
        (_drawn, _last) = (lines.Count, keep ? string.Join('\n', lines) : _last);
        await output.WriteAsync(text.ToString());
        await output.FlushAsync();
    }

    private static string Measure(Share share)
    {
        var filled = (int)Math.Floor(share.Percent / 100 * Bar);
        return string.Create(CultureInfo.InvariantCulture, $"{share.Text,-24} [{new string('#', filled)}{new string('-', Bar - filled)}] {share.Percent,5:0.0} %");
    }

    private static string Number(int n) => n.ToString("#,0", CultureInfo.InvariantCulture);
}
