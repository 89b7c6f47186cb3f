/* pack.h - what `tidewire build` and a built program do beside Lua.
 *
 * Layer lua/main.
 */
#ifndef LTW_PACK_H
#define LTW_PACK_H

#include <lua.h>

/* tw.internal.pack, for stdlib/build.lua. */
int luaopen_tw_internal_pack(lua_State *L);

/* tw.internal.bot, for stdlib/bot.lua. */
int luaopen_tw_internal_bot(lua_State *L);

/* What the command line of a built program asks for: the run, or one with a prompt;
 * what tw.bot answers; the interpreter. */
enum ltw_bot {
    LTW_BOT_RUN, LTW_BOT_REPL, LTW_BOT_TELL, LTW_BOT_INTERPRET, LTW_BOT_WRONG
};

/* For a run, *args are those of `tidewire run`: --rate 5 becomes --set rate=5, and the
 * app file is added; else they are all there is but --override.  LTW_BOT_WRONG: *args is
 * NULL, and it was said why.  Thread: MAIN, before any state is made.  Blocks: no.
 * Memory: the caller frees *args, with tw_free. */
enum ltw_bot ltw_bot_parse(int argc, char **argv, char ***args);

#endif
