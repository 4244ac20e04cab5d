using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using Ingestion.Core.Data;
using Ingestion.Core.Settings;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Ingestion.Core.Access;

/// <summary>
/// Keeps the ring in the database, where every process of the installation finds it. Its keys are sealed by the <see cref="MasterKey"/>,
/// which is not in the database: a dump alone opens nothing.
/// </summary>
public sealed class KeyRing(Database database) : IXmlRepository
{
    public IReadOnlyCollection<XElement> GetAllElements()
    {
        // Without a context: this is read at each start, and the model of one takes longer to build than the rest of it.
        using var command = database.Worker.CreateCommand("SELECT xml FROM ingestion.protection_key ORDER BY created_at");
        using var r = command.ExecuteReader();
        var elements = new List<XElement>();
        while (r.Read()) elements.Add(XElement.Parse(r.GetString(0)));
        return elements;
    }

    public void StoreElement(XElement element, string friendlyName)
    {
        using var command = database.Worker.CreateCommand("INSERT INTO ingestion.protection_key (id, xml) VALUES ($1, $2)");
        command.Parameters.Add(new() { Value = $"{friendlyName}-{Guid.NewGuid():n}" });
        command.Parameters.Add(new() { Value = element.ToString(SaveOptions.DisableFormatting) });
        command.ExecuteNonQuery();
    }
}

/// <summary>
/// What seals the ring: the setting, else a file of mode 0600 in the data directory, made at the first start. Several machines share
/// the setting. Whoever loses it enters secrets again; nothing else is lost.
/// </summary>
public sealed class MasterKey(IOptions<AccessOptions> options, DataDirectory data)
{
    private const int KeyBytes = 32;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private readonly Lazy<byte[]> _key = new(() => HKDF.DeriveKey(HashAlgorithmName.SHA256, Material(options.Value, data), KeyBytes, info: "ingestion key ring"u8.ToArray()));

    public byte[] Seal(byte[] plain)
    {
        var nonce = RandomNumberGenerator.GetBytes(AesGcm.NonceByteSizes.MaxSize);
        var (cipher, tag) = (new byte[plain.Length], new byte[AesGcm.TagByteSizes.MaxSize]);
        using var aes = new AesGcm(_key.Value, tag.Length);
        aes.Encrypt(nonce, plain, cipher, tag);
        return [.. nonce, .. tag, .. cipher];
    }

    /// <summary>Throws <see cref="CryptographicException"/> where another key sealed it.</summary>
    public byte[] Open(byte[] box)
    {
        var (nonce, tag) = (AesGcm.NonceByteSizes.MaxSize, AesGcm.TagByteSizes.MaxSize);
        if (box.Length < nonce + tag) throw new CryptographicException("The key of the ring is cut off.");
        var plain = new byte[box.Length - nonce - tag];
        using var aes = new AesGcm(_key.Value, tag);
        aes.Decrypt(box.AsSpan(0, nonce), box.AsSpan(nonce + tag), box.AsSpan(nonce, tag), plain);
        return plain;
    }

    private static byte[] Material(AccessOptions options, DataDirectory data)
    {
        if (options.KeyRingSecret.Length > 0) return Encoding.UTF8.GetBytes(options.KeyRingSecret);
        var file = Path.Combine(data.Private("keys"), "master");
        if (!File.Exists(file)) Make(file);
        // Of two processes that start at once one makes it; the other may look before it is written.
        SpinWait.SpinUntil(() => new FileInfo(file).Length >= KeyBytes, Patience);
        return File.ReadAllBytes(file) is { Length: KeyBytes } key ? key
            : throw new SettingException($"{file} is cut off. Restore it from a backup; without it remove it, and enter the secrets again.");
    }

    private static void Make(string file)
    {
        var create = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) create.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            using var stream = new FileStream(file, create);
            stream.Write(RandomNumberGenerator.GetBytes(KeyBytes));
            stream.Flush(flushToDisk: true);
        }
        catch (IOException) when (File.Exists(file))
        {
            // The other process was first.
        }
    }
}

/// <summary>Seals each key of the ring before it is stored.</summary>
public sealed class RingEncryptor(MasterKey master) : IXmlEncryptor
{
    public EncryptedXmlInfo Encrypt(XElement plaintextElement) => new(
        new XElement("sealed", Convert.ToBase64String(master.Seal(Encoding.UTF8.GetBytes(plaintextElement.ToString(SaveOptions.DisableFormatting))))),
        typeof(RingDecryptor));
}

/// <summary>Opens a key of the ring; the framework makes one from the name that stands beside the sealed key.</summary>
public sealed class RingDecryptor(IServiceProvider services) : IXmlDecryptor
{
    public XElement Decrypt(XElement encryptedElement) =>
        XElement.Parse(Encoding.UTF8.GetString(services.GetRequiredService<MasterKey>().Open(Convert.FromBase64String(encryptedElement.Value))));
}
