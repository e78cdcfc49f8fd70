/** Lightning Labs' public relay, which litd and Terminal use. */
export const DEFAULT_MAILBOX = 'mailbox.terminal.lightning.today:443'
