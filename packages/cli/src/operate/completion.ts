import { type Application, buildCommand, proposeCompletions, type StricliDynamicCommandContext } from '@stricli/core';
import { type Cli, common, type Common } from '../cli.js';

/** The hidden command that the scripts call. */
export const COMPLETE = '__complete';

const SCRIPTS = {
  bash: `_roost() {
  local IFS=$'\\n'
  COMPREPLY=($(roost ${COMPLETE} "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _roost roost`,
  zsh: `#compdef roost
_roost() {
  local -a proposals
  proposals=("\${(@f)$(roost ${COMPLETE} "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  [[ -n "\${proposals[1]}" ]] && compadd -- "\${proposals[@]}" || _files
}
compdef _roost roost`,
  fish: `function __roost_complete
  set -l words (commandline -opc) (commandline -ct)
  roost ${COMPLETE} $words[2..-1] 2>/dev/null
end
complete -c roost -a '(__roost_complete)'`,
};
type Shell = keyof typeof SCRIPTS;

export const completion = buildCommand({
  docs: {
    brief: 'Print the script that completes commands in your shell',
    fullDescription:
      'bash: source <(roost completion bash) · zsh: source <(roost completion zsh) · fish: roost completion fish | source',
  },
  parameters: {
    flags: common,
    positional: {
      kind: 'tuple',
      parameters: [
        {
          brief: Object.keys(SCRIPTS).join(', '),
          placeholder: 'shell',
          parse: shellOf,
          proposeCompletions: (partial: string) => Object.keys(SCRIPTS).filter((name) => name.startsWith(partial)),
        },
      ],
    },
  },
  func(this: Cli, flags: Common, shell: Shell) {
    if (flags.json) this.out.json({ shell, script: SCRIPTS[shell] });
    else this.out.line(SCRIPTS[shell]);
  },
});

/** One proposal a line; none where something fails: a shell is no place for errors. */
export async function complete(
  app: Application<Cli>,
  words: readonly string[],
  context: StricliDynamicCommandContext<Cli>,
): Promise<void> {
  try {
    for (const { completion: text } of await proposeCompletions(app, words, context))
      context.process.stdout.write(`${text}\n`);
  } catch {
    // The person sees it when the command runs.
  }
}

function shellOf(given: string): Shell {
  if (Object.hasOwn(SCRIPTS, given)) return given as Shell;
  throw new TypeError(`must be one of ${Object.keys(SCRIPTS).join(', ')}`);
}
