using System.Runtime.CompilerServices;
using System.Security.Claims;
using AngleSharp.Dom;
using Bunit;
using Ingestion.Admin.Access;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.RenderTree;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.Extensions.DependencyInjection;
using Radzen;

namespace Ingestion.Tests.Support;

/// <summary>
/// A component rendered in memory, with Radzen's services. Markup diffing is pruned from the build, so assertions go through
/// <c>Find</c>, and events are dispatched on the renderer by <see cref="FireAsync"/> instead of <c>.Click()</c>.
/// </summary>
public abstract class ComponentTest : BunitContext
{
    protected ComponentTest()
    {
        // The context wants a comparer to hold; nothing calls it, and its constructor needs the pruned package.
        var comparer = typeof(BunitContext).Assembly.GetType("Bunit.Diffing.HtmlComparer", throwOnError: true)!;
        Services.AddSingleton(comparer, RuntimeHelpers.GetUninitializedObject(comparer));
        Services.AddSingleton(TimeProvider.System);
        Services.AddRadzenComponents();
        Services.AddCascadingValue(_ => Task.FromResult(new AuthenticationState(SignedIn)));
        JSInterop.Mode = JSRuntimeMode.Loose;
        // The machine may be busy; a wait that succeeds ends at once.
        DefaultWaitTimeout = TimeSpan.FromSeconds(30);
    }

    /// <summary>Who looks at the component; an administrator unless a test says otherwise before it renders.</summary>
    protected ClaimsPrincipal SignedIn { get; set; } = Caller.OfScheme("test");

    /// <summary>Raises an event (<c>onclick</c>) on the element or the nearest one above that listens for it.</summary>
    protected Task FireAsync(IElement element, string name, EventArgs args)
    {
        for (IElement? at = element; at is not null; at = at.ParentElement)
        {
            if (at.GetAttribute("blazor:" + name) is { } id)
            {
                return Renderer.Dispatcher.InvokeAsync(() =>
                    Renderer.DispatchEventAsync(ulong.Parse(id, System.Globalization.CultureInfo.InvariantCulture), new EventFieldInfo { FieldValue = "" }, args, true));
            }
        }

        throw new InvalidOperationException($"Nothing listens for {name} on {element.OuterHtml} or above.");
    }

    protected Task ClickAsync(IElement element) => FireAsync(element, "onclick", new MouseEventArgs());
}
