import { defineSettings, optional, text } from '@ambient/runtime';

/** What ambientctl reads of its environment. */
export const cliSettings = defineSettings('ambientctl', {
  kubeconfig: {
    env: 'KUBECONFIG',
    type: optional(text),
    default: undefined,
    doc: 'Kubeconfig files, separated by colons, if `--kubeconfig` names none.',
  },
  home: {
    env: 'HOME',
    type: optional(text),
    default: undefined,
    doc: 'Where `.kube/config` is looked for.',
  },
  runtimeDirectory: {
    env: 'XDG_RUNTIME_DIR',
    type: optional(text),
    default: undefined,
    doc: 'Where the run directories of labs are.',
  },
});

export type CliSettings = ReturnType<typeof cliSettings.load>;
