/* quickfix.cpp - a peer made of QuickFIX, either end of a connection, which a test leads.
 *
 *     quickfix acceptor|initiator FIX.4.4 PORT FOLDER DICTIONARY TLS
 *
 * It keeps its numbers and messages in the folder.  The last two may be "": a file by
 * which it checks messages, and a folder of certificates: theirs, theirs.key, ca.  Of
 * FIXT.1.1 the file is a folder, with FIXT11.xml and those of FIX.4.2, 4.4 and 5.0SP2,
 * which is the default.  What it is told, a line each:
 *     send N      an order, 35=D, with 11=N; "sent N" when it is kept
 *     of V N      likewise, with 1128=V
 *     numbers     "numbers IN OUT", those that come next
 *     drop        hangs up without a word
 *     logout, logon    disables the session and enables it
 *     hold        orders rest from here on: they are kept in the folder, too, can be
 *                 replaced and canceled, and their status is told (35=H: "status N";
 *                 AF: "mass"); "holds N", of how many
 *     trade N     the last of them trades N
 *     deny        the next change is refused; "denies" from when on
 *     quote N     a quote of AAPL, 35=S, by N - 1 and N + 1, to be acknowledged
 *     quotes N    many of them, 35=i: AAPL, and two that nobody asked for
 *     states N    asks whether AAPL, NONE and all of the venue trade, 35=e and g
 * and what it tells: "ready", "logon", "logout", "order N" of an order that comes, which
 * is answered by an execution report, and "fill N" of a report; "asks TYPE SYMBOL" of
 * 35=R, e and g, of which the last two are answered; "acked TYPE STATUS WRONG" of 35=AI
 * and b, and how many are wrong in it; "state SYMBOL CODE" of 35=f and h; "skips" when a
 * Logout comes while messages before it are missing, for QuickFIX counts the first of
 * those as come then.  35=C it does not take.  It ends with its input. */
#define HAVE_SSL 1                        /* as Debian builds it */

#include <poll.h>
#include <quickfix/FileStore.h>
#include <quickfix/Session.h>
#include <quickfix/SocketAcceptor.h>
#include <quickfix/SocketInitiator.h>
#include <quickfix/ThreadedSSLSocketAcceptor.h>
#include <quickfix/ThreadedSSLSocketInitiator.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

static void tell(const char *what, const std::string &which = "")
{
    std::printf("%s%s%s\n", what, which.empty() ? "" : " ", which.c_str());
    std::fflush(stdout);
}

/* What both an order and its report have. */
static FIX::Message message(const char *type, const std::string &id)
{
    FIX::Message m;

    m.getHeader().setField(FIX::MsgType(type));
    m.setField(FIX::ClOrdID(id));
    m.setField(FIX::Symbol("AAPL"));
    m.setField(FIX::Side(FIX::Side_BUY));
    m.setField(FIX::OrderQty(100));
    return m;
}

static FIX::Message order(const std::string &id)
{
    FIX::Message m = message("D", id);

    m.setField(FIX::HandlInst('1'));
    m.setField(FIX::OrdType('1'));
    m.setField(FIX::TransactTime(FIX::UtcTimeStamp(), 3));
    return m;
}

/* Of an order that has traded, all of it at 187.5. */
static FIX::Message report(const FIX::Message &order, bool is_42)
{
    const std::string id = order.getField(11), quantity = order.getField(38);
    FIX::Message m = message("8", id);

    for (int tag : { 54, 55, 38 }) m.setField(tag, order.getField(tag));
    m.setField(FIX::OrderID(id));
    m.setField(FIX::ExecID(id));
    if (is_42) m.setField(20, "0");
    m.setField(FIX::ExecType(is_42 ? '2' : 'F'));
    m.setField(FIX::OrdStatus('2'));
    m.setField(FIX::LastPx(187.5));
    m.setField(32, quantity);
    m.setField(FIX::LeavesQty(0));
    m.setField(14, quantity);
    m.setField(FIX::AvgPx(187.5));
    return m;
}

/* ---- quotes and states of trading ---- */

/* The first value of a tag wherever it is: groups are, or are not, where there is no
 * dictionary. */
static std::string first(const FIX::Message &m, const char *tag)
{
    const std::string text = m.toString(), head = std::string("\001") + tag + "=";
    const size_t at = text.find(head);

    if (at == std::string::npos) return "-";
    return text.substr(at + head.size(), text.find('\001', at + 1) - at - head.size());
}

static int count(const FIX::Message &m, const char *tag)
{
    const std::string text = m.toString(), head = std::string("\001") + tag + "=";
    int n = 0;

    for (size_t at = 0; (at = text.find(head, at)) != std::string::npos; at++) n++;
    return n;
}

static FIX::Message of_type(const char *type)
{
    FIX::Message m;

    m.getHeader().setField(FIX::MsgType(type));
    return m;
}

static std::string text_of(double v)
{
    std::ostringstream text;

    text << v;
    return text.str();
}

/* Both sides about the middle. */
static void put_sides(FIX::FieldMap &m, const char *symbol, double middle)
{
    m.setField(55, symbol);
    m.setField(132, text_of(middle - 1));
    m.setField(133, text_of(middle + 1));
    m.setField(134, "10");
    m.setField(135, "20");
}

static FIX::Message quote(double middle)
{
    FIX::Message m = of_type("S");

    m.setField(117, "q" + text_of(middle));
    m.setField(301, "2");
    put_sides(m, "AAPL", middle);
    return m;
}

static FIX::Message mass_quote(double middle)
{
    static const int sets[] = { 302, 311, 304, 295, 0 };
    static const int entries[] = { 299, 55, 132, 133, 134, 135, 0 };
    FIX::Message m = of_type("i");
    FIX::Group set(296, 302, sets);

    m.setField(117, "m" + text_of(middle));
    m.setField(301, "2");
    set.setField(302, "s");
    set.setField(311, "U");
    set.setField(304, "3");
    for (const char *symbol : { "AAPL", "NONE", "NOR" }) {
        FIX::Group entry(295, 299, entries);

        entry.setField(299, symbol);
        put_sides(entry, symbol, middle);
        set.addGroup(entry);
    }
    m.addGroup(set);
    return m;
}

/* Of a symbol, or (NULL) of all. */
static FIX::Message state_request(const char *symbol, const std::string &id)
{
    FIX::Message m = of_type(symbol ? "e" : "g");

    m.setField(symbol ? 324 : 335, id);
    if (symbol) m.setField(55, symbol);
    m.setField(263, "0");
    return m;
}

/* What it trades as: open. */
static FIX::Message state(const FIX::Message &request, bool symbol)
{
    FIX::Message m = of_type(symbol ? "f" : "h");

    m.setField(symbol ? 324 : 335, request.getField(symbol ? 324 : 335));
    if (symbol) m.setField(55, request.getField(55));
    else m.setField(336, "DAY");
    m.setField(symbol ? 326 : 340, symbol ? "17" : "2");
    return m;
}

/* An order that rests. */
struct Resting {
    std::string first, id, quantity, price;
    double cum = 0;
    char status = '0';
};

/* What was done to it: 0, 5, 4, F, or I for its status; 4.2 says those by 20 and 39. */
static FIX::Message report(const Resting &o, char exec, double traded, bool is_42)
{
    static unsigned n;
    const std::string unique = text_of(getpid()) + "." + text_of(++n);
    bool is_over = o.status == '4' || o.status == '2';
    FIX::Message m = message("8", o.id);

    m.setField(38, o.quantity);
    m.setField(44, o.price);
    m.setField(40, "2");
    m.setField(59, "1");
    m.setField(41, o.first);
    m.setField(37, "Q" + o.first);
    m.setField(17, exec == 'I' ? "0" : unique);
    if (is_42) m.setField(20, exec == 'I' ? "3" : "0");
    m.setField(150, std::string(1, is_42 && (exec == 'I' || exec == 'F') ? o.status
                                                                         : exec));
    m.setField(39, std::string(1, o.status));
    if (exec == 'F') m.setField(32, text_of(traded));
    if (exec == 'F') m.setField(31, "187.5");
    m.setField(14, text_of(o.cum));
    m.setField(6, o.cum > 0 ? "187.5" : "0");
    m.setField(151, is_over ? "0" : text_of(std::atof(o.quantity.c_str()) - o.cum));
    return m;
}

struct Peer : FIX::Application {
    FIX::SessionID id;
    std::string file;                 /* of orders that rest; "": none do */
    std::vector<Resting> orders;
    bool denies = false;

    void hold(const std::string &path)
    {
        std::ifstream in(file = path);
        Resting o;

        while (in >> o.first >> o.id >> o.quantity >> o.price >> o.cum >> o.status)
            orders.push_back(o);
        tell("holds", text_of((double)orders.size()));
    }
    void say(const Resting &o, char exec, double traded = 0)
    {
        FIX::Message m = report(o, exec, traded, is_42());
        std::ofstream out(file);

        for (const Resting &i : orders)
            out << i.first << ' ' << i.id << ' ' << i.quantity << ' ' << i.price << ' '
                << i.cum << ' ' << i.status << '\n';
        out.close();
        FIX::Session::sendToTarget(m, id);
    }
    void trade(double n)
    {
        Resting &o = orders.back();

        o.cum += n;
        o.status = o.cum < std::atof(o.quantity.c_str()) ? '1' : '2';
        say(o, 'F', n);
    }
    void refuse(const FIX::Message &m, const Resting &o)
    {
        FIX::Message no = message("9", m.getField(11));

        for (int tag : { 38, 54, 55 }) no.removeField(tag);
        no.setField(37, "Q" + o.first);
        no.setField(41, m.getField(41));
        no.setField(39, std::string(1, o.status));
        no.setField(434, m.getHeader().getField(35) == "F" ? "1" : "2");
        no.setField(102, "3");
        no.setField(58, "not now");
        denies = false;
        FIX::Session::sendToTarget(no, id);
    }
    void take(const FIX::Message &m, const std::string &type)
    {
        Resting *found = nullptr;

        if (type == "AF") tell("mass");
        if (type == "H") tell("status", m.getField(11));
        for (Resting &o : orders)
            if (type == "AF") say(o, 'I');
            else if (o.id == m.getField(type == "H" ? 11 : 41)) found = &o;
        if (type == "D") {
            orders.emplace_back();
            found = &orders.back();
            found->first = found->id = m.getField(11);
            found->quantity = m.getField(38);
            found->price = m.getField(44);
            say(*found, '0');
        } else if (found && type == "H") {
            say(*found, 'I');
        } else if (found && denies) {
            refuse(m, *found);
        } else if (found) {
            found->id = m.getField(11);
            if (type == "G") found->quantity = m.getField(38);
            if (type == "G") found->price = m.getField(44);
            if (type == "F") found->status = '4';
            say(*found, type == "G" ? '5' : '4');
        }
    }

    /* Whether it is of quotes or states. */
    bool told(const FIX::Message &m, const std::string &type)
    {
        bool symbol = type == "e" || type == "f";

        if (type == "R" || type == "e" || type == "g") {
            tell("asks", type + " " + first(m, "55"));
            if (type == "R" || first(m, "263") == "2") return true;
            FIX::Message answer = state(m, symbol);

            FIX::Session::sendToTarget(answer, id);
        } else if (type == "AI" || type == "b") {
            tell("acked", type + " " + first(m, "297") + " " + text_of(count(m, "368")));
        } else if (type == "f" || type == "h") {
            tell("state", symbol ? first(m, "55") + " " + first(m, "326")
                                 : "all " + first(m, "340"));
        } else {
            return false;
        }
        return true;
    }

    bool is_42() const { return id.getBeginString().getValue() == "FIX.4.2"; }
    void onCreate(const FIX::SessionID &created) { id = created; }
    void onLogon(const FIX::SessionID &) { tell("logon"); }
    void onLogout(const FIX::SessionID &) { tell("logout"); }
    void toAdmin(FIX::Message &, const FIX::SessionID &) {}
    void toApp(FIX::Message &, const FIX::SessionID &) throw(FIX::DoNotSend) {}

    void fromAdmin(const FIX::Message &m, const FIX::SessionID &)
        throw(FIX::FieldNotFound, FIX::IncorrectDataFormat, FIX::IncorrectTagValue,
              FIX::RejectLogon)
    {
        FIX::Session *s = FIX::Session::lookupSession(id);
        int number = std::atoi(m.getHeader().getField(34).c_str());

        if (m.getHeader().getField(35) == "5" && number > s->getExpectedTargetNum())
            tell("skips");
    }

    void fromApp(const FIX::Message &m, const FIX::SessionID &)
        throw(FIX::FieldNotFound, FIX::IncorrectDataFormat, FIX::IncorrectTagValue,
              FIX::UnsupportedMessageType)
    {
        bool is_order = m.getHeader().getField(35) == "D";

        if (m.getHeader().getField(35) == "C") throw FIX::UnsupportedMessageType();
        if (!file.empty()) {
            take(m, m.getHeader().getField(35));
            return;
        }
        if (told(m, m.getHeader().getField(35))) return;
        if (!m.isSetField(11)) return;    /* of the venue as a whole */
        tell(is_order ? "order" : "fill", m.getField(11));
        if (is_order) {
            const FIX::FieldMap &head = m.getHeader();
            bool applied = head.isSetField(1128);
            FIX::Message answer = report(m, applied ? head.getField(1128) == "4"
                                         : is_42());

            if (applied) answer.getHeader().setField(1128, head.getField(1128));
            FIX::Session::sendToTarget(answer, id);
        }
    }
};

static void obey(const std::string &line, Peer &peer, const std::string &folder)
{
    FIX::Session *s = FIX::Session::lookupSession(peer.id);

    if (line.compare(0, 5, "send ") == 0) {
        FIX::Message m = order(line.substr(5));

        FIX::Session::sendToTarget(m, peer.id);
        tell("sent", line.substr(5));
    } else if (line.compare(0, 3, "of ") == 0) {
        FIX::Message m = order(line.substr(5));

        m.getHeader().setField(1128, line.substr(3, 1));
        FIX::Session::sendToTarget(m, peer.id);
    } else if (line == "numbers") {
        std::ostringstream text;

        text << s->getExpectedTargetNum() << ' ' << s->getExpectedSenderNum();
        tell("numbers", text.str());
    } else if (line == "hold") {
        peer.hold(folder + "/orders");
    } else if (line == "deny") {
        peer.denies = true;
        tell("denies");
    } else if (line.compare(0, 6, "trade ") == 0) {
        peer.trade(std::atof(line.c_str() + 6));
    } else if (line.compare(0, 6, "quote ") == 0) {
        FIX::Message m = quote(std::atof(line.c_str() + 6));

        FIX::Session::sendToTarget(m, peer.id);
    } else if (line.compare(0, 7, "quotes ") == 0) {
        FIX::Message m = mass_quote(std::atof(line.c_str() + 7));

        FIX::Session::sendToTarget(m, peer.id);
    } else if (line.compare(0, 7, "states ") == 0) {
        static const char *const symbols[] = { "AAPL", "NONE", nullptr };

        for (const char *symbol : symbols) {
            FIX::Message m = state_request(symbol, line.substr(7)
                                           + (symbol ? symbol : "all"));

            FIX::Session::sendToTarget(m, peer.id);
        }
    } else if (line == "drop") {
        s->disconnect();
    } else if (line == "logout") {
        s->logout("bye");
    } else if (line == "logon") {
        s->logon();
    } else {
        tell("what", line);
    }
}

/* Its day begins in twelve hours, so that none begins in the test. */
static std::string settings(bool acceptor, char **argv)
{
    const std::string dictionary = argv[5], tls = argv[6];
    std::ostringstream text;
    time_t now = time(NULL) + 12 * 3600;
    char start[20];

    strftime(start, sizeof start, "%H:00:00", gmtime(&now));
    text << "[DEFAULT]\nConnectionType=" << argv[1] << "\nFileStorePath=" << argv[4]
         << "\nStartTime=" << start << "\nEndTime=" << start << "\nHeartBtInt=5"
         << "\nReconnectInterval=0\nSocketNodelay=Y\nLogoutTimeout=30"
         << (acceptor ? "\nSocketAcceptPort=" : "\nSocketConnectHost=127.0.0.1"
                                                "\nSocketConnectPort=") << argv[3];
    if (dictionary.empty()) text << "\nUseDataDictionary=N";
    else if (std::string(argv[2]) == "FIXT.1.1")
        text << "\nUseDataDictionary=Y\nTransportDataDictionary=" << dictionary
             << "/FIXT11.xml\nAppDataDictionary=" << dictionary
             << "/FIX50SP2.xml\nAppDataDictionary.FIX.4.4=" << dictionary
             << "/FIX44.xml\nAppDataDictionary.FIX.4.2=" << dictionary << "/FIX42.xml";
    else text << "\nUseDataDictionary=Y\nDataDictionary=" << dictionary;
    if (!tls.empty()) {
        const char *role = acceptor ? "Server" : "Client";

        text << "\nCertificationAuthoritiesFile=" << tls << "/ca\n"
             << role << "CertificateFile=" << tls << "/theirs\n"
             << role << "CertificateKeyFile=" << tls << "/theirs.key";
    }
    if (std::string(argv[2]) == "FIXT.1.1") text << "\nDefaultApplVerID=FIX.5.0SP2";
    text << "\n[SESSION]\nBeginString=" << argv[2]
         << "\nSenderCompID=QF\nTargetCompID=TW\n";
    return text.str();
}

/* With threads of its own where it has TLS: without them it does not get over a broken
 * connection there. */
template <class End>
static void serve(const FIX::SessionSettings &s, bool threads, const std::string &folder)
{
    FIX::FileStoreFactory store(s);
    Peer peer;
    End end(peer, store, s);
    std::string input;
    char bytes[4096];

    if (threads) end.start();
    else end.poll(0.001);
    tell("ready");
    for (;;) {
        struct pollfd in = { 0, POLLIN, 0 };
        size_t at;

        if (!threads) end.poll(0.004);
        while (poll(&in, 1, threads ? 4 : 0) > 0) {
            ssize_t n = read(0, bytes, sizeof bytes);

            if (n <= 0) _exit(0);         /* its threads don't always end */
            input.append(bytes, n);
        }
        while ((at = input.find('\n')) != std::string::npos) {
            obey(input.substr(0, at), peer, folder);
            input.erase(0, at + 1);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc != 7) return 2;
    bool acceptor = std::string(argv[1]) == "acceptor", tls = *argv[6];

    try {
        std::istringstream text(settings(acceptor, argv));
        FIX::SessionSettings s(text);

        if (tls && acceptor) serve<FIX::ThreadedSSLSocketAcceptor>(s, true, argv[4]);
        else if (tls) serve<FIX::ThreadedSSLSocketInitiator>(s, true, argv[4]);
        else if (acceptor) serve<FIX::SocketAcceptor>(s, false, argv[4]);
        else serve<FIX::SocketInitiator>(s, false, argv[4]);
    } catch (std::exception &e) {
        tell("failed", e.what());
    }
    _exit(1);
}
