/* beside.cpp - what bench/fix_check measures, of QuickFIX: nanoseconds to read a message
 * and hold it against the dictionary, and to write an order.
 *
 *     beside DICTIONARY FILE...     files as bench/fix_check writes them
 */
#include <quickfix/DataDictionary.h>
#include <quickfix/Message.h>
#include <quickfix/fix44/NewOrderSingle.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

static volatile size_t sink;

/* The least of a few rounds, each of all messages. */
template <class Work> static double least_ns(size_t messages, Work work)
{
    double best = 1e9;

    for (int round = 0; round < 20; round++) {
        auto began = std::chrono::steady_clock::now();
        double ns;

        for (size_t i = 0; i < messages; i++) work(i);
        ns = std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now()
                                                      - began).count();
        if (ns / messages < best) best = ns / messages;
    }
    return best;
}

static std::vector<std::string> messages_of(const char *file)
{
    std::ifstream in(file, std::ios::binary);
    std::stringstream all;
    std::vector<std::string> list;
    std::string text;

    all << in.rdbuf();
    text = all.str();
    for (size_t at = 0, end; at < text.size(); at = end) {
        end = text.find("\00110=", at) + 8;
        list.push_back(text.substr(at, end - at));
    }
    return list;
}

static std::string order(size_t seq)
{
    FIX44::NewOrderSingle m(FIX::ClOrdID(std::to_string(7000000 + seq)), FIX::Side('1'),
                            FIX::TransactTime(FIX::UtcTimeStamp(1767348000, 123, 3)),
                            FIX::OrdType('2'));

    m.getHeader().set(FIX::MsgSeqNum((int)(100000 + seq)));
    m.getHeader().set(FIX::SenderCompID("TIDEWIRE"));
    m.getHeader().set(FIX::SendingTime(FIX::UtcTimeStamp(1767348000, 123, 3)));
    m.getHeader().set(FIX::TargetCompID("EXCHANGE1"));
    m.set(FIX::Account("ACCOUNT"));
    m.set(FIX::HandlInst('1'));
    m.set(FIX::OrderQty((double)(1 + seq % 50) * 100));
    m.set(FIX::Price((double)(18700 + seq % 100) / 100));
    m.set(FIX::Symbol("AAPL"));
    m.set(FIX::TimeInForce('0'));
    return m.toString();
}

int main(int argc, char **argv)
{
    FIX::DataDictionary dictionary(argv[1]);

    std::printf("%-17s %9s %7s %7s\n", "QuickFIX", "and check", "parse", "encode");
    for (int i = 2; i < argc; i++) {
        std::vector<std::string> list = messages_of(argv[i]);
        std::string name = argv[i];
        double checked, read;

        checked = least_ns(list.size(), [&](size_t k) {
            FIX::Message m(list[k], dictionary, true);

            dictionary.validate(m);
        });
        read = least_ns(list.size(), [&](size_t k) {
            FIX::Message m(list[k], dictionary, true);

            sink = sink + m.bodyLength();
        });
        std::printf("%-17s %9.0f %7.0f", name.substr(name.rfind('/') + 1).c_str(),
                    checked, read);
        if (i == 2)
            std::printf(" %7.0f", least_ns(1000, [](size_t k) {
                sink = sink + order(k).size();
            }));
        std::printf("\n");
    }
    return 0;
}
