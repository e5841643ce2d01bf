// Who hears of a broker's trouble when the application has not said so.

/** Tells of an error as a process warning. */
export function warn(error: Error): void {
  process.emitWarning(`topics do not reach other machines: ${error.message}`, 'MillraceWarning')
}
