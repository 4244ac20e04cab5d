using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Ingestion.Core.Sources;

/// <summary>Makes the framework's decompressors refuse input that ends early; by default they take half a body for a whole one.</summary>
internal static class StrictCompression
{
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "The framework reads the switch once, at its first decompression, so it has to be set before.")]
    internal static void Require() => AppContext.SetSwitch("System.IO.Compression.UseStrictValidation", true);
}
