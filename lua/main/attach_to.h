/* attach_to.h - a prompt in a running host: `tidewire attach`.
 *
 * Layer lua/main.
 */
#ifndef TW_ATTACH_TO_H
#define TW_ATTACH_TO_H

/* The arguments behind `attach`; returns the exit status of the process: 0; 1 when a
 * line failed or there is no such run; 2 for arguments that make no sense.
 * Thread: MAIN.  Blocks: until the end of the input, or of the run. */
int tw_attach_to(int argc, char **argv);

#endif
