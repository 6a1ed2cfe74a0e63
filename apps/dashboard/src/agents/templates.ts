import type { NewAgent } from '@roost-ai/sdk';
import type { IconName } from '../components/icon-name.js';

export interface Template {
  id: string;
  title: string;
  about: string;
  icon: IconName;
  /** What the form begins with. */
  agent: Omit<NewAgent, 'name'> & { name: string };
}

/** Where to begin from. Each is only what the form is filled with. */
export const TEMPLATES: Template[] = [
  {
    id: 'assistant',
    title: 'Assistant',
    about: 'Answers, remembers, and keeps files.',
    icon: 'sparkles',
    agent: {
      name: 'assistant',
      description: 'Helps with whatever comes up',
      session_mode: 'persistent',
      system_prompt: 'You are a helpful assistant. Keep notes of what is worth remembering in your workspace.',
    },
  },
  {
    id: 'researcher',
    title: 'Researcher',
    about: 'Reads the web and writes reports.',
    icon: 'globe',
    agent: {
      name: 'researcher',
      description: 'Finds things out and writes reports',
      session_mode: 'persistent',
      system_prompt:
        'You research questions. Look at several sources, say how sure you are, and write a report with its sources to reports/<topic>.md before you answer with a summary.',
      configuration: { timeout_seconds: 1_800 },
    },
  },
  {
    id: 'coder',
    title: 'Coder',
    about: 'Works on code in its own sandbox.',
    icon: 'code',
    agent: {
      name: 'coder',
      description: 'Writes and mends code',
      session_mode: 'persistent',
      pvc_size: '5Gi',
      system_prompt:
        'You are a software engineer. Work in your workspace, run the tests before you say that something works, and explain what you changed in a few sentences.',
      configuration: { timeout_seconds: 3_600 },
    },
  },
  {
    id: 'watcher',
    title: 'Watcher',
    about: 'Looks after something on a schedule.',
    icon: 'eye',
    agent: {
      name: 'watcher',
      description: 'Checks something regularly and reports what changed',
      session_mode: 'ephemeral',
      system_prompt:
        'You are started by a schedule. Compare what you find with state.json in your workspace, report only what changed, and then write the new state.',
    },
  },
];
