using System.Security.Cryptography;
using System.Text;
using Ingestion.Core.Settings;

namespace Ingestion.Admin.Access;

/// <summary>
/// One-time sign-in links. At most one is open; its token's hash is a file of mode 0600 in the data directory, so that
/// a command on the same machine can issue one for a server that is already running. Never holds the token itself.
/// </summary>
internal sealed class SignInLinks(DataDirectory data)
{
    private const int TokenBytes = 32;

    private string File => Path.Combine(data.Private("access"), "sign-in-link");

    /// <summary>The address to open. Always <c>localhost</c>: browsers keep more rights for that name than for an IP address.</summary>
    public static string Address(int port, string token) => $"http://localhost:{port}/sign-in?token={token}";

    /// <summary>Opens a new link and voids the one before; returns its token.</summary>
    public string Issue()
    {
        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(TokenBytes));
        var draft = File + "." + Guid.NewGuid().ToString("n");
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var stream = new FileStream(draft, options))
            stream.Write(Hash(token));
        System.IO.File.Move(draft, File, overwrite: true);
        return token;
    }

    /// <summary>True once for the open link's token. A wrong token leaves the link open.</summary>
    public bool TryRedeem(string token)
    {
        if (token.Length != TokenBytes * 2 || !System.IO.File.Exists(File))
            return false;

        // Of two requests with the same token only one can take the file away. What was taken is looked at again:
        // a new link may have been issued in between, and that one is put back.
        var taken = File + "." + Guid.NewGuid().ToString("n");
        try
        {
            if (!CryptographicOperations.FixedTimeEquals(System.IO.File.ReadAllBytes(File), Hash(token)))
                return false;
            System.IO.File.Move(File, taken);
        }
        catch (FileNotFoundException)
        {
            return false;
        }

        if (!CryptographicOperations.FixedTimeEquals(System.IO.File.ReadAllBytes(taken), Hash(token)))
        {
            System.IO.File.Move(taken, File, overwrite: true);
            return false;
        }

        System.IO.File.Delete(taken);
        return true;
    }

    private static byte[] Hash(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}
