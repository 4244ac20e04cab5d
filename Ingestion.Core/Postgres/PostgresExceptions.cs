namespace Ingestion.Core.Postgres;

/// <summary>The app's own server cannot be used. The message tells a person which directory, what is wrong and what to do.</summary>
public sealed class EmbeddedPostgresException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The server of the given connection string cannot be used. The message says what to change, with the SQL where SQL is the answer.</summary>
public sealed class ExternalServerException(string message, Exception? inner = null) : Exception(message, inner);
