using System.Security.Cryptography;
using Ingestion.Core.Pipeline;
using Npgsql;

namespace Ingestion.Core.Artifacts;

/// <summary>A file that is written and waits for the transaction that makes it live.</summary>
/// <param name="Sha256">Lower-case hexadecimal.</param>
public sealed record WrittenArtifact(string TenantId, Uri Uri, long Length, string Sha256);

/// <summary>Row before file, file before commit: whatever dies in between leaves an intent that the sweep finds, never a lost file.</summary>
public sealed class ArtifactWriter(NpgsqlDataSource worker, IArtifactStore store)
{
    /// <summary>Writes an intent, then the file.</summary>
    /// <param name="kind"><c>raw</c>, <c>markdown</c> or <c>record</c>.</param>
    public async Task<WrittenArtifact> WriteAsync(string tenantId, string kind, string key, Stream content, CancellationToken ct)
    {
        const string intent = """
            INSERT INTO ingestion.artifact (tenant_id, uri, kind, live, created_at) VALUES ($1, $2, $3, false, ingestion.clock())
            ON CONFLICT (uri) DO UPDATE SET created_at = ingestion.clock() WHERE NOT artifact.live
            """;
        var uri = store.Locate(key);
        await using (var command = worker.CreateCommand(intent))
        {
            command.Parameters.Add(new() { Value = tenantId });
            command.Parameters.Add(new() { Value = uri.AbsoluteUri });
            command.Parameters.Add(new() { Value = kind });
            await command.ExecuteNonQueryAsync(ct);
        }
        await using var hashing = new HashingStream(content);
        var written = await store.PutAsync(key, hashing, ct);
        FaultPoints.Reach(FaultPoints.AfterFile);
        return new(tenantId, written, hashing.Length, hashing.Sha256);
    }

    /// <summary>Makes a written file live, inside the transaction that refers to it.</summary>
    public static async Task MakeLiveAsync(NpgsqlConnection connection, WrittenArtifact artifact, CancellationToken ct)
    {
        const string sql = "UPDATE ingestion.artifact SET live = true, length = $2, sha256 = $3 WHERE uri = $1";
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters = { new() { Value = artifact.Uri.AbsoluteUri }, new() { Value = artifact.Length }, new() { Value = artifact.Sha256 } },
        };
        // The sweep took the intent away: it was older than anything the sweep may touch, so this attempt is too.
        if (await command.ExecuteNonQueryAsync(ct) != 1) throw new IOException($"the artifact {artifact.Uri} was swept before it became live");
    }

    /// <summary>Counts and hashes what is read through it.</summary>
    private sealed class HashingStream(Stream inner) : Stream
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        private long _length;

        public string Sha256 => Convert.ToHexStringLower(_hash.GetCurrentHash());
        public override long Length => _length;
        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Position { get => _length; set => throw new NotSupportedException("reads forward only"); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var n = await inner.ReadAsync(buffer, cancellationToken);
            _hash.AppendData(buffer.Span[..n]);
            _length += n;
            return n;
        }

        public override int Read(byte[] buffer, int offset, int count)
        {
            var n = inner.Read(buffer, offset, count);
            _hash.AppendData(buffer, offset, n);
            _length += n;
            return n;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException("reads forward only");
        public override void SetLength(long value) => throw new NotSupportedException("read only");
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("read only");

        protected override void Dispose(bool disposing)
        {
            if (disposing) _hash.Dispose();
            base.Dispose(disposing);
        }
    }
}
