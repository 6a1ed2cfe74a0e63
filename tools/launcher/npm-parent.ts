const everyMs = 500;

/**
 * npm runs us by a shell, and hands a signal to that shell alone: whether it reaches us depends on the shell. So under
 * npm we also check whether our parent is still there. `nohup npm start &` stays: there npm does.
 */
export function onNpmGone(gone: () => void): void {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    gone();
  }, everyMs);
  timer.unref();
}
