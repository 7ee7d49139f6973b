export { ScriptedZtunnel } from './scripted-ztunnel.ts';
export type { ReceivedRequest } from './scripted-ztunnel.ts';
