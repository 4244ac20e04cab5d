using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Sources;

/// <summary>What a selection of a kind needs besides the kind.</summary>
public enum SourceNeed
{
    /// <summary>Files, addresses and tables that come with the submission itself.</summary>
    Submission,
    /// <summary>A connection.</summary>
    Connection,
    /// <summary>An address, or a connection that has one.</summary>
    Address,
    /// <summary>A connection, or an address without one.</summary>
    Either,
}

/// <summary>A kind of place that documents come from.</summary>
/// <param name="Word">As APIs and rows say it.</param>
/// <param name="Title">As people read it.</param>
/// <param name="Text">What it takes, in a sentence.</param>
/// <param name="Icon">A Material symbol.</param>
/// <param name="Settings">Fields of a connection of this kind; none where connections of it are not made.</param>
/// <param name="Options">What a selection may say: <c>source_specific_options</c>.</param>
public sealed record SourceKind(string Word, string Title, string Text, string Icon, SourceNeed Need, IReadOnlyList<SourceField> Settings, IReadOnlyList<SourceField> Options)
{
    public bool HasConnections => Settings.Count > 0;

    /// <summary>True where documents are known by their address, so that the same one is the same document whatever found it.</summary>
    public bool ByAddress => Word is SourceTypes.Url or SourceTypes.Manifest or SourceTypes.Site or SourceTypes.Feed;
}

/// <summary>The one table of kinds: what a connection of each is made of, and what a selection of each may say.</summary>
public static class SourceKinds
{
    private static readonly SourceField Include = new("include", FieldType.Patterns, "Only these", "Patterns, one a line: *.pdf, reports/**. None takes everything.");
    private static readonly SourceField Exclude = new("exclude", FieldType.Patterns, "Not these", "Patterns, one a line. They win over those above.");
    private static readonly SourceField Address = new("address", FieldType.Text, "Address", "A complete http or https URL.", Required: true);

    private static readonly SourceField[] SignIn =
    [
        new("user", FieldType.Text, "User name", "For basic authentication."),
        new("password", FieldType.Secret, "Password"),
        new("cookie", FieldType.Secret, "Cookie", "Sent as the Cookie header to this host alone."),
        new("headers", FieldType.Secret, "Headers", "Name: value, one a line; sent to this host alone."),
    ];

    public static IReadOnlyList<SourceKind> All { get; } =
    [
        new(SourceTypes.Upload, "Files", "Files sent with the submission.", "upload_file", SourceNeed.Submission, [], []),
        new(SourceTypes.Url, "Addresses", "Single addresses.", "link", SourceNeed.Submission, [], []),
        new(SourceTypes.Manifest, "Manifest", "A table with an address in each row.", "table", SourceNeed.Submission, [],
            [new("url_column", FieldType.Text, "Column of addresses", Required: true), new("title_column", FieldType.Text, "Column of titles")]),
        new(SourceTypes.Site, "Web site", "Every page of a site, from an address on.", "language", SourceNeed.Address,
            [Address, .. SignIn, new("ignore_robots", FieldType.Flag, "Ignore robots.txt", "Only for a site of your own.")],
            [
                Include, Exclude,
                new("max_pages", FieldType.Number, "Pages at most", "Pages fetched before the crawl stops.", Default: 5000, Least: 1, Most: 1_000_000),
                new("max_depth", FieldType.Number, "Links deep at most", "Links followed from the first page.", Default: 25, Least: 0, Most: 10_000),
                new("max_minutes", FieldType.Number, "Minutes at most", "Time before the crawl stops.", Default: 240, Least: 1, Most: 10_080),
                new("sitemaps", FieldType.Flag, "Read sitemaps", "What the site lists of itself.", Default: 1),
                new("subdomains", FieldType.Flag, "Subdomains too", "Pages of hosts below this one."),
            ]),
        new(SourceTypes.Feed, "Feed", "What an RSS or Atom feed links to.", "rss_feed", SourceNeed.Address,
            [Address, .. SignIn], [Include, Exclude, new("max_entries", FieldType.Number, "Entries at most", Default: 1000, Least: 1, Most: 10_000)]),
        new(SourceTypes.LocalDirectory, "Directory", "Files of a directory on the server.", "folder", SourceNeed.Connection,
            [
                new("path", FieldType.Text, "Directory", "An absolute path below one of the roots that Ingestion:Sources:Roots allows.", Required: true),
                new("watch", FieldType.Flag, "Watch for changes", "A sync begins by itself when files change."),
            ],
            [
                Include, Exclude,
                new("recursive", FieldType.Flag, "Directories below it too", Default: 1),
                new("hidden", FieldType.Flag, "Hidden files too", "Names that begin with a dot."),
            ]),
        new(SourceTypes.LocalZip, "Zip archive", "Files inside a zip archive on the server.", "folder_zip", SourceNeed.Connection,
            [new("path", FieldType.Text, "Archive", "An absolute path below one of the roots that Ingestion:Sources:Roots allows.", Required: true)],
            [Include, Exclude, new("nested", FieldType.Number, "Archives inside archives", "How deep they are opened.", Default: 3, Least: 0, Most: 3)]),
        new(SourceTypes.S3, "S3 bucket", "Objects of a bucket of any S3-compatible store.", "cloud", SourceNeed.Connection,
            [
                new("endpoint", FieldType.Text, "Endpoint", "https://s3.eu-central-1.amazonaws.com, or the address of your store.", Required: true),
                new("bucket", FieldType.Text, "Bucket", Required: true),
                new("region", FieldType.Text, "Region", "us-east-1 where the store has none."),
                new("prefix", FieldType.Text, "Prefix", "Only keys that begin with it."),
                new("access_key", FieldType.Text, "Access key"),
                new("secret_key", FieldType.Secret, "Secret key"),
            ],
            [Include, Exclude]),
        new(SourceTypes.GoogleDrive, "Google Drive", "Files and Google documents of folders and shared drives.", "add_to_drive", SourceNeed.Connection,
            [
                new("service_account", FieldType.Secret, "Service account", "The JSON file of its key."),
                new("client_id", FieldType.Text, "OAuth client id", "Instead of a service account."),
                new("client_secret", FieldType.Secret, "OAuth client secret"),
                new("refresh_token", FieldType.Secret, "OAuth refresh token"),
                new("folders", FieldType.Lines, "Folders", "Ids of folders or shared drives, one a line; none takes all that is shared with the account."),
                new("endpoint", FieldType.Text, "API address", "https://www.googleapis.com unless a gateway stands before it."),
            ],
            [Include, Exclude]),
        new(SourceTypes.Confluence, "Confluence", "Pages and attachments of Confluence Cloud or Data Center.", "article", SourceNeed.Connection,
            [
                new("address", FieldType.Text, "Address", "https://company.atlassian.net/wiki, or that of your server.", Required: true),
                new("user", FieldType.Text, "User", "The e-mail address, for Cloud; empty sends the token alone, for Data Center."),
                new("token", FieldType.Secret, "API token", Required: true),
                new("spaces", FieldType.Lines, "Spaces", "Keys, one a line; none takes all that the user sees."),
            ],
            [
                Include, Exclude,
                new("cql", FieldType.Text, "CQL", "Narrows the pages further: label = \"public\"."),
                new("attachments", FieldType.Flag, "Attachments too", Default: 1),
            ]),
        new(SourceTypes.YouTube, "YouTube transcripts", "What is said in videos, where there are captions.", "smart_display", SourceNeed.Either,
            [
                new("videos", FieldType.Lines, "Videos", "Addresses or ids, one a line."),
                new("playlists", FieldType.Lines, "Playlists", "Addresses or ids, one a line; they need an API key, or OAuth."),
                new("languages", FieldType.Lines, "Languages", "Codes, the first that a video has is taken: en, de. None takes what there is."),
                new("automatic", FieldType.Flag, "Automatic captions too", "What a program heard, where people wrote none."),
                new("api_key", FieldType.Secret, "API key", "Of the YouTube Data API: lists playlists, titles and versions."),
                new("client_id", FieldType.Text, "OAuth client id", "For captions of videos of your own: asked of the Data API as their owner."),
                new("client_secret", FieldType.Secret, "OAuth client secret"),
                new("refresh_token", FieldType.Secret, "OAuth refresh token", "With the right youtube.force-ssl."),
                new("endpoint", FieldType.Text, "Address", "https://www.youtube.com and https://www.googleapis.com unless a gateway stands before them."),
            ],
            [
                new("languages", FieldType.Lines, "Languages", "Codes, the first that a video has is taken: en, de."),
                new("automatic", FieldType.Flag, "Automatic captions too", "What a program heard, where people wrote none."),
            ]),
        new(SourceTypes.FileCatalog, "File catalogue", "Every directory and bucket that is connected.", "inventory_2", SourceNeed.Connection, [], [Include, Exclude]),
    ];

    /// <summary>Kinds of connections that a catalogue of files takes from.</summary>
    public static IReadOnlyList<string> Catalogued { get; } = [SourceTypes.LocalDirectory, SourceTypes.S3];

    /// <summary>Kinds that are taken by their address, without a connection.</summary>
    public static IReadOnlyList<SourceKind> WithAddress { get; } = [.. All.Where(k => k.Need is SourceNeed.Address or SourceNeed.Either)];

    /// <summary>The word of the kind that an address is one of whatever else was meant: that of a video or a playlist. Null where it could be any.</summary>
    public static string? OfAddress(string address) =>
        address.Contains("://", StringComparison.Ordinal) && (YouTubeAddress.VideoOf(address) ?? YouTubeAddress.PlaylistOf(address)) is not null ? SourceTypes.YouTube : null;

    /// <summary>Null where there is none of this word.</summary>
    public static SourceKind? Find(string word) => All.FirstOrDefault(k => k.Word == word);

    /// <summary>Throws <c>invalid_option</c> naming the word where there is none.</summary>
    public static SourceKind Require(string word) => Find(word)
        ?? throw new IngestionException(ErrorCodes.InvalidOption, $"'{(word.Length <= 60 ? word : word[..60] + "…")}' is not a source type. Known are: {string.Join(", ", All.Select(k => k.Word))}.");

    /// <summary>Checks <c>source_specific_options</c>: an object by source type. Throws <c>invalid_option</c> for an unknown type or option.</summary>
    public static void RequireOptions(IReadOnlyDictionary<string, System.Text.Json.JsonElement> options)
    {
        foreach (var (word, values) in options) SourceValues.Read($"source_specific_options.{word}", Require(word).Options, values);
    }
}
