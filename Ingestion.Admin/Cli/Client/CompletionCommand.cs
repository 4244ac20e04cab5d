using System.CommandLine;

namespace Ingestion.Admin.Cli.Client;

/// <summary><c>ingestion completion SHELL</c>: the script by which a shell completes our commands and options.</summary>
internal sealed class CompletionCommand : Command
{
    // The program itself is asked what may follow; the name it was called by is taken off the line first.
    private const string Bash = """
        _ingestion() {
            local line="${COMP_LINE#* }" IFS=$'\n'
            COMPREPLY=( $("${COMP_WORDS[0]}" "[suggest:$(( COMP_POINT - ${#COMP_LINE} + ${#line} ))]" "$line" 2>/dev/null) )
        }
        complete -o default -F _ingestion ingestion catalystctl
        """;

    private const string Zsh = """
        #compdef ingestion catalystctl
        _ingestion() {
            local line="${words[2,-1]}"
            compadd -- ${(f)"$("${words[1]}" "[suggest:${#line}]" "$line" 2>/dev/null)"}
        }
        compdef _ingestion ingestion catalystctl
        """;

    private const string Fish = """
        function __ingestion_complete
            set -l words (commandline -opc) (commandline -ct)
            set -l line (string join ' ' -- $words[2..-1])
            $words[1] "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null
        end
        complete -c ingestion -f -a '(__ingestion_complete)'
        complete -c catalystctl -f -a '(__ingestion_complete)'
        """;

    private readonly Argument<string> _shell = new("shell") { Description = "bash, zsh or fish." };

    public CompletionCommand()
        : base("completion", """
            Print the script that lets a shell complete commands and options.
            bash: source <(ingestion completion bash)    zsh: source <(ingestion completion zsh)    fish: ingestion completion fish | source
            """)
    {
        _shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        Arguments.Add(_shell);
        SetAction((parsed, _) => PrintAsync(parsed));
    }

    private async Task<int> PrintAsync(ParseResult parsed)
    {
        await parsed.InvocationConfiguration.Output.WriteLineAsync(parsed.GetRequiredValue(_shell) switch { "bash" => Bash, "zsh" => Zsh, _ => Fish });
        return ExitCodes.Done;
    }
}
