using Xunit;

namespace Ingestion.Tests.Browser;

/// <summary>A theory that drives a real browser; skipped where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class BrowserTheoryAttribute : TheoryAttribute
{
    public BrowserTheoryAttribute()
    {
        if (!File.Exists(BrowserFactAttribute.Chromium)) Skip = $"{BrowserFactAttribute.Chromium} is not installed.";
    }
}
