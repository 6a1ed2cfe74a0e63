/** Which key is meant by the shortcut's main one. */
export const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent);
