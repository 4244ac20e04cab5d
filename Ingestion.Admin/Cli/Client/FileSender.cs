using System.Globalization;

namespace Ingestion.Admin.Cli.Client;

/// <summary>Sends files in parts that the server takes, small ones in one request.</summary>
internal sealed class FileSender(ApiClient api)
{
    private const long Part = 32L << 20;

    /// <summary>The ids of the uploads, in the order of the files.</summary>
    public async Task<IReadOnlyList<string>> SendAsync(IReadOnlyList<(string Path, string File)> files, string purpose, CancellationToken ct)
    {
        var ids = new List<string>(files.Count);
        foreach (var (path, file) in files) ids.Add(await SendAsync(path, file, purpose, ct));
        return ids;
    }

    private async Task<string> SendAsync(string path, string file, string purpose, CancellationToken ct)
    {
        FileStream content;
        try
        {
            content = File.OpenRead(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ClientException(ExitCodes.Usage, $"{file} cannot be read: {e.Message}", e);
        }
        await using var open = content;
        if (content.Length <= Part)
            return IdOf(await api.SendBytesAsync(HttpMethod.Post, $"api/v1/uploads/file?path={Uri.EscapeDataString(path)}&purpose={purpose}", content, content.Length, ct));
        var id = IdOf(await api.PostAsync("api/v1/uploads", new { path, size = content.Length, purpose }, ct));
        while (content.Position < content.Length)
        {
            var length = Math.Min(Part, content.Length - content.Position);
            await api.SendBytesAsync(HttpMethod.Put, string.Create(CultureInfo.InvariantCulture, $"api/v1/uploads/{id}?offset={content.Position}"), new PartOfFile(content, length), length, ct);
        }
        return id;
    }

    private static string IdOf(System.Text.Json.JsonElement upload) => upload.GetProperty("id").GetString()!;

    /// <summary>The next so many bytes of a stream, which stays open.</summary>
    private sealed class PartOfFile(Stream whole, long left) : Stream
    {
        private long _left = left;

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count) => Count(whole.Read(buffer, offset, (int)Math.Min(count, _left)));

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            Count(await whole.ReadAsync(buffer[..(int)Math.Min(buffer.Length, _left)], cancellationToken));

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        private int Count(int read)
        {
            _left -= read;
            return read;
        }
    }
}
