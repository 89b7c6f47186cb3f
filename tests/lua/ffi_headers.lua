-- ffi_headers: the headers of the C library and of others are declared whole.

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local apps = require "apps"
local ffi = require "ffi"

if not os.execute "command -v cpp >/dev/null" then
  t.skip("no C preprocessor is installed")
  t.done()
  return
end

-- Each with one of the functions that it declares.
local headers = {
  { "stdio.h", "printf" }, { "stdlib.h", "qsort" }, { "string.h", "strlen" },
  { "math.h", "pow" }, { "time.h", "strftime" }, { "fcntl.h", "open" },
  { "unistd.h", "getpid" }, { "dirent.h", "readdir" }, { "poll.h", "poll" },
  { "pthread.h", "pthread_self" }, { "signal.h", "raise" }, { "locale.h", "setlocale" },
  { "sys/socket.h", "socket" }, { "sys/stat.h", "mkdir" },
  { "sys/epoll.h", "epoll_wait" },
  { "arpa/inet.h", "htons" }, { "zlib.h", "deflate" }, { "curses.h", "waddnstr" },
  { "hiredis/hiredis.h", "redisCommand" }, { "zmq.h", "zmq_socket" },
  { "ffi.h", "ffi_call" },
  { "sqlite3.h", "sqlite3_open" },
}

local function preprocess(header, options)
  local path = apps.directory .. "/header.c"
  apps.put(path, ("#include <%s>\n"):format(header))
  return apps.shell(("cpp %s %s"):format(options, path))
end

local texts, marked = {}, {}
for _, entry in ipairs(headers) do
  local header, name = table.unpack(entry)
  local run = preprocess(header, "-P")
  if run.status ~= 0 then
    t.diag(header .. " is not installed")
  else
    texts[#texts + 1] = run.out
    marked[header] = preprocess(header, "-dD").out
    local ok, why = pcall(ffi.cdef, run.out)
    if t.ok(ok, header) then
      t.ok(pcall(ffi.typeof, "__typeof__(" .. name .. ")"),
      header .. " declares " .. name)
    else
      t.diag(why)
    end
  end
end
t.ok(#texts >= 16, "those of the C library are there")

-- Again, in the same state: all is declared just so.
for header, text in pairs(marked) do
  local ok, why = pcall(ffi.cdef, text)
  t.ok(ok, header .. " again, with line markers and macros: " .. tostring(why))
end
local ok, why = pcall(ffi.cdef, table.concat(texts))
t.ok(ok, "all as one text: " .. tostring(why))

t.is(ffi.C.strlen "four", 4, "what they declare can be called")
t.is(ffi.toretval(ffi.eval "EPOLLIN | EPOLLOUT"), 5, "enums of headers are constants")
t.is(ffi.C.O_CREAT, 64, "and what they #define")
t.is(ffi.sizeof "struct sockaddr_in", 16, "sockaddr_in")
t.is(ffi.sizeof "pthread_mutex_t", ffi.arch == "arm64" and 48 or 40, "pthread_mutex_t")
t.is(ffi.sizeof "struct epoll_event", ffi.arch == "x64" and 12 or 16, "epoll_event")
t.is(ffi.sizeof "sigset_t", 128, "sigset_t")
t.done()
