/* echo.cpp - what bench/fix_engine measures, of QuickFIX: an acceptor that sends each
 * order back, with its messages in memory and no log.
 *
 *     echo PORT DICTIONARY     "ready" when it listens; ends with its input
 */
#include <quickfix/Session.h>
#include <quickfix/SocketAcceptor.h>
#include <unistd.h>

#include <cstdio>
#include <sstream>

struct Echo : FIX::Application {
    void onCreate(const FIX::SessionID &) {}
    void onLogon(const FIX::SessionID &) {}
    void onLogout(const FIX::SessionID &) {}
    void toAdmin(FIX::Message &, const FIX::SessionID &) {}
    void toApp(FIX::Message &, const FIX::SessionID &) throw(FIX::DoNotSend) {}
    void fromAdmin(const FIX::Message &, const FIX::SessionID &)
        throw(FIX::FieldNotFound, FIX::IncorrectDataFormat, FIX::IncorrectTagValue,
              FIX::RejectLogon) {}
    void fromApp(const FIX::Message &m, const FIX::SessionID &id)
        throw(FIX::FieldNotFound, FIX::IncorrectDataFormat, FIX::IncorrectTagValue,
              FIX::UnsupportedMessageType)
    {
        FIX::Message back = m;

        FIX::Session::sendToTarget(back, id);
    }
};

int main(int, char **argv)
{
    std::ostringstream text;
    char byte;

    text << "[DEFAULT]\nConnectionType=acceptor\nStartTime=00:00:00\nEndTime=00:00:00"
         << "\nSocketNodelay=Y\nSocketReuseAddress=Y\nSocketAcceptPort=" << argv[1]
         << "\nDataDictionary=" << argv[2] << "\n[SESSION]\nBeginString=FIX.4.4"
         << "\nSenderCompID=EXCHANGE1\nTargetCompID=TIDEWIRE\n";
    try {
        std::istringstream in(text.str());
        FIX::SessionSettings settings(in);
        FIX::MemoryStoreFactory store;
        Echo echo;
        FIX::SocketAcceptor end(echo, store, settings);

        end.start();
        std::puts("ready");
        std::fflush(stdout);
        while (read(0, &byte, 1) > 0) {}
        _exit(0);                         /* its threads don't always end */
    } catch (std::exception &e) {
        std::printf("%s\n", e.what());
    }
    _exit(1);
}
