using System.Diagnostics;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Parsing;

/// <summary>
/// The loop of a worker process: one request line in, frames out, one document at a time, until its input closes. Ends itself at
/// once when the host dies, whatever it is doing.
/// </summary>
public static class ParseWorker
{
    /// <summary>The command line's word for it.</summary>
    public const string Verb = "parse-worker";

    /// <summary>Serves this process's standard input and output; returns the exit code. Nothing else may write to standard output.</summary>
    public static async Task<int> RunAsync()
    {
        await using var output = Console.OpenStandardOutput();
        // A library that prints would break the frames.
        Console.SetOut(TextWriter.Null);
        using var input = new StreamReader(Console.OpenStandardInput());
        for (var line = await input.ReadLineAsync(); line is not null;)
        {
            var answer = Task.Run(() => AnswerAsync(line, output));
            var next = input.ReadLineAsync();
            if (await Task.WhenAny(answer, next) == next && await next is null) Process.GetCurrentProcess().Kill();
            if (!await answer) return 0;
            line = await next;
        }
        return 0;
    }

    /// <summary>Parses one document and writes the answer. False where this process should not be used again.</summary>
    private static async Task<bool> AnswerAsync(string line, Stream output)
    {
        ParseReply reply;
        try
        {
            var request = ParseFrames.Request(line) ?? throw new InvalidDataException("An empty request.");
            // Without a word for people: the host counts the document's time from here.
            Report(0, null, "");
            FaultPoints.Reach(FaultPoints.InParser, request.Raw.Name);
            var parser = (ParserRegistry.Find(request.Format) ?? throw new InvalidDataException("A format without a parser.")).Create(request.Limits);
            var document = await parser.ParseAsync(request.Raw, Report, CancellationToken.None);
            reply = new ParseReply(document);
        }
        catch (IngestionException e)
        {
            reply = new ParseReply(Error: e.Code.Code, Message: e.Message);
        }
        catch (OutOfMemoryException)
        {
            reply = new ParseReply(Error: ErrorCodes.LimitExceeded.Code, Message: "The document exceeds the parser's memory limit.", Leaving: true);
        }
        catch (Exception e)
        {
            // Whatever a parser did not foresee concerns this document alone; the host has to hear of it.
            reply = new ParseReply(Error: ErrorCodes.Internal.Code, Message: $"The parser failed with {e.GetType().Name}.");
        }
        ParseFrames.Write(output, reply);
        return !reply.Leaving;

        void Report(long current, long? total, string message) =>
            ParseFrames.Write(output, new ParseReply(Message: message, Current: current, Total: total, Last: false));
    }
}
