using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Ingestion.Benchmarks;

/// <summary>
/// Connections that follow one batch, in a process of their own: half streams, half sockets, and some that never read. They do as little as
/// a client can, so that what is measured is the server; a few note when they were told what.
/// </summary>
internal static class SubscriberClients
{
    public const string Verb = "subscribe";
    public const string KeyVariable = "INGESTION_BENCHMARK_KEY";
    public const string Connected = "connected";

    private const int Sampled = 200;

    // Kinds of frames.
    private const int Text = 1, Ping = 9, Pong = 10;
    private static readonly ConcurrentQueue<string> Samples = new();
    private static long received;
    private static int ended;

    public static async Task<int> RunAsync(Uri server, string job, int reading, int silent, string file)
    {
        var connections = new List<Socket>();
        // As many at once as a listening queue takes.
        foreach (var group in Enumerable.Range(0, reading + silent).Chunk(100))
            connections.AddRange(await Task.WhenAll(group.Select(n => OpenAsync(server, job, stream: n % 2 == 0, small: n >= reading))));
        var every = Math.Max(1, reading / Sampled);
        for (var n = 0; n < reading; n++) _ = ReadAsync(connections[n], n, stream: n % 2 == 0, sampled: n / 2 % every == 0);
        Console.WriteLine(Connected);
        await Console.In.ReadToEndAsync();
        // What is on its way arrives.
        await Task.Delay(TimeSpan.FromSeconds(3));
        await File.WriteAllLinesAsync(file, Samples);
        Console.WriteLine($"{reading:N0} readers took {Interlocked.Read(ref received) >> 20:N0} MiB, {Volatile.Read(ref ended):N0} connections were ended by the server; {silent:N0} never read");
        foreach (var connection in connections) connection.Dispose();
        return 0;
    }

    private static async Task<Socket> OpenAsync(Uri server, string job, bool stream, bool small)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (small) socket.ReceiveBufferSize = 4096;
        await socket.ConnectAsync(IPAddress.Loopback, server.Port);
        var key = Environment.GetEnvironmentVariable(KeyVariable);
        await socket.SendAsync(Encoding.ASCII.GetBytes(stream
            ? $"GET /api/v1/batches/{job}/stream HTTP/1.1\r\nHost: localhost\r\nX-Api-Key: {key}\r\n\r\n"
            : $"GET /batch/ws/administrator?job_id={job} HTTP/1.1\r\nHost: localhost\r\nX-Api-Key: {key}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"));
        if (small) return socket;
        // Its head says that it was let in.
        var head = new byte[2048];
        var length = await socket.ReceiveAsync(head.AsMemory());
        var status = Encoding.ASCII.GetString(head, 0, length).Split('\r')[0];
        return status.Contains(stream ? " 200 " : " 101 ", StringComparison.Ordinal) ? socket : throw new InvalidOperationException($"A client was answered with {status}.");
    }

    private static async Task ReadAsync(Socket socket, int reader, bool stream, bool sampled)
    {
        // A stream that is not sampled is only drained; of a socket the frames are read, because pings want an answer.
        var (buffer, kept) = (new byte[sampled ? 256 << 10 : stream ? 4096 : 16 << 10], 0);
        try
        {
            for (int n; (n = await socket.ReceiveAsync(buffer.AsMemory(kept))) > 0;)
            {
                Interlocked.Add(ref received, n);
                if (stream && !sampled) continue;
                var length = kept + n;
                var taken = stream ? Facts(buffer.AsSpan(0, length), reader) : Messages(socket, buffer.AsSpan(0, length), reader, sampled);
                buffer.AsSpan(taken..length).CopyTo(buffer);
                kept = length - taken;
            }
        }
        catch (SocketException)
        {
            // The server dropped it, which is counted; at the end we close them ourselves.
        }
        catch (ObjectDisposedException)
        {
            return;
        }
        Interlocked.Increment(ref ended);
    }

    // Whole lines of a stream; what was taken of it.
    private static int Facts(Span<byte> bytes, int reader)
    {
        var (taken, now) = (0, TimeProvider.System.GetUtcNow().UtcTicks);
        for (int end; (end = bytes[taken..].IndexOf((byte)'\n')) >= 0; taken += end + 1)
        {
            var line = bytes.Slice(taken, end);
            // A line that ends so was cut in two by the border of a chunk.
            if (line.StartsWith("id: "u8) && line[^1] != (byte)'\r') Samples.Enqueue($"fact {reader} {Encoding.ASCII.GetString(line[4..]).Trim()} {now}");
        }
        return taken;
    }

    // Whole frames of a socket; a server's frames are not masked.
    private static int Messages(Socket socket, Span<byte> bytes, int reader, bool sampled)
    {
        var (taken, now) = (0, TimeProvider.System.GetUtcNow().UtcTicks);
        while (bytes.Length - taken >= 2)
        {
            var (length, head) = bytes[taken + 1] switch
            {
                126 when bytes.Length - taken >= 4 => (BinaryPrimitives.ReadUInt16BigEndian(bytes[(taken + 2)..]), 4),
                126 or 127 => (int.MaxValue, 0),
                var small => (small, 2),
            };
            if (length > bytes.Length - taken - head) break;
            var frame = bytes.Slice(taken + head, length);
            if ((bytes[taken] & 15) == Ping) socket.Send([0x80 | Pong, (byte)(0x80 | length), 0, 0, 0, 0, .. frame]);
            else if (sampled && (bytes[taken] & 15) == Text) Note(frame, reader, now);
            taken += head + length;
        }
        return taken;
    }

    private static void Note(Span<byte> message, int reader, long now)
    {
        if (message.IndexOf("\"job_update\""u8) < 0) return;
        var job = JsonSerializer.Deserialize<JsonElement>(message).GetProperty("job");
        var told = job.GetProperty("completed_files").GetInt32() + job.GetProperty("failed_files").GetInt32() + job.GetProperty("skipped_files").GetInt32();
        Samples.Enqueue($"ends {reader} {told} {now}");
    }
}
