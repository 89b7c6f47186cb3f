/* mapped.h - a file that is cut while it is mapped.
 *
 * Layer lua/main.
 */
#ifndef LTW_MAPPED_H
#define LTW_MAPPED_H

/* From now on the program ends with a line and status 1 where it reads what a file does
 * not have any more, or its disk cannot give: the system has only SIGBUS to say so, of
 * which a user would see no more than its name.
 * Thread: MAIN, before there are others. */
void ltw_mapped_watch(void);

#endif
