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

    /// <summary>Writes intents for many in one statement, then their files, some at once. Returns them in the same order.</summary>
    /// <param name="files">The key in the store, and the file that holds the bytes.</param>
    public async Task<IReadOnlyList<WrittenArtifact>> WriteAllAsync(string tenantId, string kind, IReadOnlyList<(string Key, string File)> files, CancellationToken ct)
    {
        const string intents = """
            INSERT INTO ingestion.artifact (tenant_id, uri, kind, live, created_at) SELECT $1, x.uri, $3, false, ingestion.clock() FROM unnest($2) AS x (uri) ORDER BY x.uri
            ON CONFLICT (uri) DO UPDATE SET created_at = ingestion.clock() WHERE NOT artifact.live
            """;
        if (files.Count == 0) return [];
        await using (var command = worker.CreateCommand(intents))
        {
            command.Parameters.Add(new() { Value = tenantId });
            command.Parameters.Add(new() { Value = files.Select(f => store.Locate(f.Key).AbsoluteUri).ToArray() });
            command.Parameters.Add(new() { Value = kind });
            await command.ExecuteNonQueryAsync(ct);
        }
        var read = new HashingStream[files.Count];
        var uris = await store.PutAllAsync([.. files.Select((f, i) => new NewObject(f.Key, () => read[i] = new HashingStream(File.OpenRead(f.File), owns: true)))], ct);
        FaultPoints.Reach(FaultPoints.AfterFile);
        return [.. uris.Select((uri, i) => new WrittenArtifact(tenantId, uri, read[i].Length, read[i].Sha256))];
    }

    /// <summary>Makes written files live, inside the transaction that refers to them.</summary>
    public static async Task MakeLiveAsync(NpgsqlConnection connection, IReadOnlyList<WrittenArtifact> artifacts, CancellationToken ct)
    {
        const string sql = """
            UPDATE ingestion.artifact a SET live = true, length = x.length, sha256 = x.sha256
            FROM unnest($1, $2, $3) AS x (uri, length, sha256)
            WHERE a.uri = x.uri
            """;
        if (artifacts.Count == 0) return;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                new() { Value = artifacts.Select(a => a.Uri.AbsoluteUri).ToArray() }, new() { Value = artifacts.Select(a => a.Length).ToArray() }, new() { Value = artifacts.Select(a => a.Sha256).ToArray() },
            },
        };
        if (await command.ExecuteNonQueryAsync(ct) is var live && live != artifacts.Count) throw new IOException($"{artifacts.Count - live} artifacts were swept before they became live");
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

    /// <summary>Counts and hashes what is read through it; the figures stay once it is closed.</summary>
    private sealed class HashingStream(Stream inner, bool owns = false) : Stream
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        private long _length;
        private string? _sha256;

        public string Sha256 => _sha256 ?? Convert.ToHexStringLower(_hash.GetCurrentHash());
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
            if (disposing && _sha256 is null)
            {
                _sha256 = Sha256;
                _hash.Dispose();
                if (owns) inner.Dispose();
            }
            base.Dispose(disposing);
        }
    }
}
