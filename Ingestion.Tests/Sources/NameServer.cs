using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Ingestion.Tests.Sources;

/// <summary>
/// A DNS server on port 53 of loopback that answers as a test says, look-up by look-up, and lets nobody keep an answer: each has a
/// lifetime of 0. A name of which nothing was said does not exist.
/// </summary>
internal sealed class NameServer : IAsyncDisposable
{
    private const ushort Four = 1;
    private const ushort Six = 28;
    private const int Header = 12;

    private readonly UdpClient _socket = new(new IPEndPoint(IPAddress.Loopback, 53));
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<string, Func<int, IPAddress[]>> _answers = new();
    private readonly ConcurrentDictionary<string, int> _lookUps = new();
    private readonly Task _serving;

    public NameServer() => _serving = ServeAsync();

    /// <summary>How often each name was looked up.</summary>
    public IReadOnlyDictionary<string, int> LookUps => _lookUps;

    /// <summary>Says where a name leads: at the first look-up, 0, and at those after it.</summary>
    public NameServer Says(string name, Func<int, IPAddress[]> addresses)
    {
        _answers[name] = addresses;
        return this;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _serving;
        _socket.Dispose();
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                var question = await _socket.ReceiveAsync(_stop.Token);
                await _socket.SendAsync(Answer(question.Buffer), question.RemoteEndPoint, _stop.Token);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The test is over.
            return;
        }
    }

    private byte[] Answer(byte[] question)
    {
        var (name, at) = Name(question);
        var type = BinaryPrimitives.ReadUInt16BigEndian(question.AsSpan(at));
        // A look-up asks for addresses of version 4 first and then for those of version 6; both are told as of one moment.
        var count = type == Four ? _lookUps.AddOrUpdate(name, 1, (_, n) => n + 1) : _lookUps.GetValueOrDefault(name, 1);
        var isKnown = _answers.TryGetValue(name, out var said);
        var addresses = isKnown ? said!(count - 1).Where(a => type == (a.AddressFamily == AddressFamily.InterNetwork ? Four : Six)).Select(a => a.GetAddressBytes()).ToList() : [];
        var answer = new List<byte>(512);
        answer.AddRange(question.AsSpan(0, 2));
        Write(answer, (ushort)(isKnown ? 0x8580 : 0x8583), 1, (ushort)addresses.Count, 0, 0);
        answer.AddRange(question.AsSpan(Header, at + 4 - Header));
        foreach (var address in addresses)
        {
            // The name as in the question, the type, the class of the internet, a lifetime of 0 in four bytes, the length.
            Write(answer, 0xC000 | Header, type, 1, 0, 0, (ushort)address.Length);
            answer.AddRange(address);
        }
        return [.. answer];
    }

    // The name that is asked for, and where it ends.
    private static (string Name, int End) Name(byte[] question)
    {
        var (labels, at) = (new List<string>(), Header);
        for (; question[at] != 0; at += 1 + question[at]) labels.Add(Encoding.ASCII.GetString(question, at + 1, question[at]));
        return (string.Join('.', labels).ToLowerInvariant(), at + 1);
    }

    private static void Write(List<byte> to, params ushort[] numbers)
    {
        foreach (var number in numbers) to.AddRange([(byte)(number >> 8), (byte)number]);
    }
}
