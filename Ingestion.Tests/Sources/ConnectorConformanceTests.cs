using System.Globalization;
using Ingestion.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Ingestion.Tests.Sources;

public sealed class DirectoryConformanceTests : ConnectorConformance
{
    protected override bool IsRemote => false;

    protected override bool HasPages => false;

    private protected override async Task<ConnectorCase> StartAsync() => await FolderCase.StartAsync();

    private sealed class FolderCase : ConnectorCase
    {
        private readonly TemporaryDirectory _files = new();
        private int _second;

        public override string Kind => "local_directory";

        public static async Task<FolderCase> StartAsync()
        {
            var place = new FolderCase();
            place.Host = await PipelineHost.StartAsync(("Ingestion:Sources:Roots:0", place._files.Path));
            await place.Host.ConnectAsync(place.Kind, "c", new { path = place._files.Path });
            return place;
        }

        public override string KeyOf(int n) => $"sub/{n}.txt";

        public override void Put(int n, byte[] content)
        {
            var path = Path.Combine(_files.Path, KeyOf(n));
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, content);
            File.SetLastWriteTimeUtc(path, DateTime.UnixEpoch.AddSeconds(Interlocked.Increment(ref _second)));
        }

        public override void Remove(int n) => File.Delete(Path.Combine(_files.Path, KeyOf(n)));

        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync();
            _files.Dispose();
        }
    }
}

public sealed class ZipConformanceTests : ConnectorConformance
{
    protected override bool IsRemote => false;

    protected override bool HasPages => false;

    private protected override async Task<ConnectorCase> StartAsync() => await ArchiveCase.StartAsync();

    private sealed class ArchiveCase : ConnectorCase
    {
        private readonly TemporaryDirectory _files = new();
        private readonly SortedDictionary<int, byte[]> _contents = [];

        public override string Kind => "local_zip";

        public static async Task<ArchiveCase> StartAsync()
        {
            var place = new ArchiveCase();
            place.Host = await PipelineHost.StartAsync(("Ingestion:Sources:Roots:0", place._files.Path));
            await place.Host.ConnectAsync(place.Kind, "c", new { path = Path.Combine(place._files.Path, "a.zip") });
            return place;
        }

        public override string KeyOf(int n) => $"sub/{n}.txt";

        public override void Put(int n, byte[] content)
        {
            _contents[n] = content;
            Write();
        }

        public override void Remove(int n)
        {
            _contents.Remove(n);
            Write();
        }

        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync();
            _files.Dispose();
        }

        private void Write() => File.WriteAllBytes(Path.Combine(_files.Path, "a.zip"), ZipSamples.Zip([.. _contents.Select(c => (KeyOf(c.Key), (object)c.Value))]));
    }
}

public sealed class S3ConformanceTests : ConnectorConformance
{
    private protected override async Task<ConnectorCase> StartAsync() => await BucketCase.StartAsync();

    private sealed class BucketCase : ConnectorCase
    {
        private FixtureHost _server = null!;
        private FakeBucket _bucket = null!;

        public override string Kind => "s3";

        public static async Task<BucketCase> StartAsync()
        {
            var place = new BucketCase();
            (place._server, place._bucket) = await FakeBucket.StartAsync();
            place._bucket.PageSize = 3;
            place._bucket.Trouble = context => place.Trouble(context);
            place.Host = await PipelineHost.StartAsync(("Ingestion:Acquire:AllowedTargets:0", place._server.Target));
            await place.Host.ConnectAsync(place.Kind, "c", FakeBucket.Settings(place._server));
            return place;
        }

        public override string KeyOf(int n) => string.Create(CultureInfo.InvariantCulture, $"sub dir/{n}.txt");

        public override void Put(int n, byte[] content) => _bucket.Objects[KeyOf(n)] = content;

        public override void Remove(int n) => _bucket.Objects.TryRemove(KeyOf(n), out _);

        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync();
            await _server.DisposeAsync();
        }
    }
}

public sealed class DriveConformanceTests : ConnectorConformance
{
    private protected override async Task<ConnectorCase> StartAsync() => await DriveCase.StartAsync();

    private sealed class DriveCase : ConnectorCase
    {
        private FixtureHost _server = null!;
        private FakeDrive _drive = null!;

        public override string Kind => "google_drive";

        public static async Task<DriveCase> StartAsync()
        {
            var place = new DriveCase();
            (place._server, place._drive) = await FakeDrive.StartAsync();
            place._drive.PageSize = 3;
            place._drive.Trouble = context => place.Trouble(context);
            place.Host = await PipelineHost.StartAsync(("Ingestion:Acquire:AllowedTargets:0", place._server.Target));
            await place.Host.ConnectAsync(place.Kind, "c", place._drive.Settings);
            return place;
        }

        public override string KeyOf(int n) => $"id-{n}";

        public override void Put(int n, byte[] content) => _drive.Files[KeyOf(n)] = new($"{n}.txt", "text/plain", "root", content);

        public override void Remove(int n) => _drive.Files.TryRemove(KeyOf(n), out _);

        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync();
            await _server.DisposeAsync();
        }
    }
}

public sealed class ConfluenceConformanceTests : ConnectorConformance
{
    private protected override async Task<ConnectorCase> StartAsync() => await WikiCase.StartAsync();

    private sealed class WikiCase : ConnectorCase
    {
        private FixtureHost _server = null!;
        private FakeWiki _wiki = null!;

        public override string Kind => "confluence";

        public static async Task<WikiCase> StartAsync()
        {
            var place = new WikiCase();
            (place._server, place._wiki) = await FakeWiki.StartAsync();
            place._wiki.PageSize = 3;
            place._wiki.Trouble = context => place.Trouble(context);
            place.Host = await PipelineHost.StartAsync(("Ingestion:Acquire:AllowedTargets:0", place._server.Target));
            await place.Host.ConnectAsync(place.Kind, "c", FakeWiki.Settings(place._server));
            return place;
        }

        public override string KeyOf(int n) => string.Create(CultureInfo.InvariantCulture, $"{1000 + n}");

        public override void Put(int n, byte[] content) => _wiki.Put(KeyOf(n), $"Page {n}", $"<p>{System.Text.Encoding.UTF8.GetString(content)}</p>");

        public override void Remove(int n) => _wiki.Contents.TryRemove(KeyOf(n), out _);

        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync();
            await _server.DisposeAsync();
        }
    }
}

public sealed class YouTubeConformanceTests : ConnectorConformance
{
    private protected override async Task<ConnectorCase> StartAsync() => await ChannelCase.StartAsync();

    private sealed class ChannelCase : ConnectorCase
    {
        private FixtureHost _server = null!;
        private FakeYouTube _tube = null!;
        private int _revision;

        public override string Kind => "youtube";

        public static async Task<ChannelCase> StartAsync()
        {
            var place = new ChannelCase();
            (place._server, place._tube) = await FakeYouTube.StartAsync();
            place._tube.PageSize = 3;
            place._tube.Trouble = context => place.Trouble(context);
            place.Host = await PipelineHost.StartAsync(("Ingestion:Acquire:AllowedTargets:0", place._server.Target));
            await place.Host.ConnectAsync(place.Kind, "c", FakeYouTube.OwnSettings(place._server));
            return place;
        }

        public override string KeyOf(int n) => string.Create(CultureInfo.InvariantCulture, $"video-{n:00000}");

        public override void Put(int n, byte[] content)
        {
            if (!_tube.Listed.Contains(KeyOf(n))) _tube.Listed.Add(KeyOf(n));
            _tube.Videos[KeyOf(n)] = new($"Video {n}", new FakeCaptions("en", System.Text.Encoding.UTF8.GetString(content), Revision: ++_revision));
        }

        public override void Remove(int n) => _tube.Videos.TryRemove(KeyOf(n), out _);

        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync();
            await _server.DisposeAsync();
        }
    }
}
