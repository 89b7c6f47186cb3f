// embed.cpp - a Lua script inside a C++ program, which has its text and gives it a table:
// two threads push trades in batches, a third reads the tape, the board has the result.
//
//     c++ -std=c++17 embed.cpp $(pkg-config --cflags --libs tidewire) -o embed
#include <cstdio>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <tidewire.h>
#include <vector>

static const char app[] = R"(
local app = require "tw.app"
app.script "volume.lua"
)";

static const char volume[] = R"(
local board = require "tw.board"
local config = require "config"           -- the program's table
local M = {}

function M:on_start() self.total = {} end

function M:on_trade(symbol, size)
  self.total[symbol] = (self.total[symbol] or 0) + size
end

function M:on_stop()
  for _, symbol in ipairs(config.symbols) do
    board["volume." .. symbol] = self.total[symbol]
  end
end

return M
)";

enum { TRADES = 1000, BATCH = 100 };

struct failure : std::runtime_error { using std::runtime_error::runtime_error; };

class Host {
public:
    Host()
    {
        tw_host_options options = {};

        options.workers = 1;
        host_.reset(tw_host_new(&options, &error_));
        if (!host_) throw failure(error_.text);
    }

    void check(int code) const
    {
        if (code < 0) throw failure(*error_.text ? error_.text : tw_strerror(code));
    }

    tw_error *error() { return &error_; }
    tw_host *get() const { return host_.get(); }

private:
    struct Free { void operator()(tw_host *host) const { tw_host_free(host); } };

    std::unique_ptr<tw_host, Free> host_;
    tw_error error_ = {};
};

// config: what scripts get with require "config".
static void configure(Host &host, const std::vector<std::string> &symbols)
{
    std::unique_ptr<tw_draft, decltype(&tw_draft_free)> draft(tw_draft_new(),
                                                              tw_draft_free);
    tw_any config;

    if (!draft) throw std::bad_alloc();
    tw_draft_begin(draft.get(), "symbols");
    for (auto &symbol : symbols) tw_draft_add(draft.get(), tw_item_text(symbol.c_str()));
    tw_draft_end(draft.get());
    host.check(tw_draft_finish(draft.get(), &config));
    int rc = tw_host_add_value(host.get(), "config", tw_any_root(&config));
    tw_any_unref(&config);
    host.check(rc);
}

static void push(tw_host *host, const std::string &symbol)
{
    std::vector<tw_record> trades(BATCH);
    auto id = static_cast<std::uint32_t>(tw_host_symbol(host, symbol.c_str()));

    for (auto &trade : trades) {
        trade.kind = TW_TRADE;
        trade.symbol = id;
        tw_fixed_from_double(101.25, &trade.trade.price);
        tw_fixed_from_double(2.5, &trade.trade.size);
    }
    for (int n = 0; n < TRADES; n += BATCH)
        tw_host_push(host, trades.data(), trades.size(), TW_FOREVER);
}

static double number_on_board(tw_host *host, const char *name)
{
    tw_any value;

    if (tw_host_board_get(host, name, &value) < 0) return 0;
    double number = tw_item_to_number(tw_any_root(&value), 0);
    tw_any_unref(&value);
    return number;
}

static void run(Host &host)
{
    tw_record record;
    unsigned seen = 0;

    configure(host, { "AAPL", "BP" });
    host.check(tw_host_add_text(host.get(), "app.lua", app));
    host.check(tw_host_add_text(host.get(), "volume.lua", volume));
    host.check(tw_host_load(host.get(), "app.lua", host.error()));
    std::unique_ptr<tw_host_cursor, decltype(&tw_host_cursor_close)> cursor(
        tw_host_cursor_open(host.get(), 1u << TW_TRADE, false, 0, host.error()),
        tw_host_cursor_close);
    if (!cursor) throw failure(host.error()->text);
    host.check(tw_host_start(host.get(), host.error()));

    std::thread one(push, host.get(), "AAPL"), other(push, host.get(), "BP");
    while (seen < 2 * TRADES && tw_host_cursor_wait(cursor.get(), 5) == 1)
        while (tw_host_cursor_next(cursor.get(), &record, nullptr)) seen++;
    one.join();
    other.join();
    tw_host_finish(host.get());
    host.check(tw_host_wait(host.get(), TW_FOREVER, host.error()));
    std::printf("%u trades, volume of AAPL %.1f, of BP %.1f\n", seen,
                number_on_board(host.get(), "volume.AAPL"),
                number_on_board(host.get(), "volume.BP"));
}

int main()
{
    try {
        Host host;

        run(host);
    } catch (const failure &e) {
        std::fprintf(stderr, "%s\n", e.what());
        return 1;
    }
    return 0;
}
