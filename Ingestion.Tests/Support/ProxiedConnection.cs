using System.Buffers.Binary;
using System.Text;

namespace Ingestion.Tests.Support;

/// <summary>One client's connection through <see cref="PostgresProxy"/>.</summary>
internal sealed class ProxiedConnection(ProxiedConnection.Judge losesReply)
{
    private const int Remembered = 1 << 14;
    private readonly StringBuilder _sent = new();

    /// <summary>True where the connection is to end instead of passing this reply on.</summary>
    public delegate bool Judge(ReadOnlySpan<byte> reply);

    /// <summary>What the server says is read and dropped.</summary>
    public bool Frozen { get; set; }

    /// <summary>Whether the client sent this text, among the last of what it sent.</summary>
    public bool HasSent(string text)
    {
        lock (_sent) return _sent.ToString().Contains(text, StringComparison.Ordinal);
    }

    /// <summary>Passes bytes both ways until one side has ended or a reply is to be lost.</summary>
    public Task RunAsync(Stream client, Stream server, CancellationToken ct) => Task.WhenAny(ForwardAsync(client, server, ct), ReturnAsync(server, client, ct)).Unwrap();

    private async Task ForwardAsync(Stream client, Stream server, CancellationToken ct)
    {
        var buffer = new byte[64 * 1024];
        while (await client.ReadAsync(buffer, ct) is var n and > 0)
        {
            Remember(buffer.AsSpan(0, n));
            await server.WriteAsync(buffer.AsMemory(0, n), ct);
        }
    }

    private async Task ReturnAsync(Stream server, Stream client, CancellationToken ct)
    {
        var buffer = new byte[64 * 1024];
        while (await server.ReadAsync(buffer, ct) is var n and > 0)
        {
            if (Frozen) continue;
            if (losesReply(buffer.AsSpan(0, n))) return;
            await client.WriteAsync(buffer.AsMemory(0, n), ct);
        }
    }

    private void Remember(ReadOnlySpan<byte> sent)
    {
        lock (_sent)
        {
            _sent.Append(Encoding.Latin1.GetString(sent));
            if (_sent.Length > Remembered) _sent.Remove(0, _sent.Length - Remembered);
        }
    }
}

/// <summary>What a piece of the server's answer tells.</summary>
internal static class ServerReply
{
    /// <summary>True where the server has carried out a command whose tag begins so, and waits outside a transaction: it is committed.</summary>
    public static bool Tells(ReadOnlySpan<byte> reply, ReadOnlySpan<byte> tag)
    {
        if (!EndsIdle(reply)) return false;
        for (var at = 0; at + 5 + tag.Length <= reply.Length; at++)
        {
            var next = reply[at..].IndexOf(tag);
            if (next < 0) return false;
            at += next;
            // CommandComplete: 'C', its length, the tag, a zero.
            if (at >= 5 && reply[at - 5] == (byte)'C' && BinaryPrimitives.ReadInt32BigEndian(reply[(at - 4)..]) is > 4 and < 64) return true;
        }
        return false;
    }

    public static bool TellsOfWrite(ReadOnlySpan<byte> reply) => Tells(reply, "INSERT"u8) || Tells(reply, "UPDATE"u8) || Tells(reply, "DELETE"u8);

    // ReadyForQuery with the state idle.
    private static bool EndsIdle(ReadOnlySpan<byte> reply) =>
        reply.Length >= 6 && reply[^6] == (byte)'Z' && BinaryPrimitives.ReadInt32BigEndian(reply[^5..]) == 5 && reply[^1] == (byte)'I';
}
