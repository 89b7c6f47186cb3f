/* openssl.h - the system's OpenSSL, opened when it is first needed.
 *
 * Why: it is larger than this program, only who asks for TLS needs it, and its repairs
 * should reach who has it without a new program.
 *
 * Layer host/run.
 */
#ifndef TW_OPENSSL_H
#define TW_OPENSSL_H

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/* What is called of it, with the types of its headers. */
#define TW_OPENSSL(F) \
    F(TLS_method) F(SSL_CTX_new) F(SSL_CTX_free) F(SSL_CTX_ctrl) \
    F(SSL_CTX_set_options) F(SSL_CTX_set_cipher_list) F(SSL_CTX_set_ciphersuites) \
    F(SSL_CTX_set_num_tickets) F(SSL_CTX_use_certificate_chain_file) \
    F(SSL_CTX_use_PrivateKey_file) F(SSL_CTX_check_private_key) \
    F(SSL_CTX_set_default_passwd_cb) F(SSL_CTX_set_default_passwd_cb_userdata) \
    F(SSL_CTX_load_verify_file) F(SSL_CTX_load_verify_dir) \
    F(SSL_CTX_set_default_verify_paths) F(SSL_CTX_set_verify) \
    F(SSL_CTX_get0_param) F(X509_VERIFY_PARAM_set_flags) F(PEM_read_bio_X509_CRL) \
    F(X509_CRL_free) F(X509_STORE_CTX_set0_crls) \
    F(SSL_CTX_set_cert_verify_callback) F(SSL_new) F(SSL_free) F(SSL_ctrl) \
    F(SSL_set_bio) F(SSL_set_accept_state) F(SSL_set_connect_state) \
    F(SSL_get0_param) F(SSL_set_ex_data) F(SSL_get_ex_data) \
    F(SSL_get_ex_data_X509_STORE_CTX_idx) F(SSL_do_handshake) F(SSL_read) \
    F(SSL_write) F(SSL_shutdown) F(SSL_get_error) F(SSL_get_version) \
    F(SSL_get_current_cipher) F(SSL_CIPHER_get_name) F(SSL_get0_peer_certificate) \
    F(BIO_new) F(BIO_free) F(BIO_s_mem) F(BIO_ctrl) \
    F(BIO_ctrl_pending) F(BIO_read) F(BIO_write) F(ERR_clear_error) \
    F(ERR_peek_error) F(ERR_reason_error_string) F(X509_verify_cert) \
    F(X509_verify_cert_error_string) F(X509_STORE_CTX_get_error) \
    F(X509_STORE_CTX_get_current_cert) F(X509_STORE_CTX_get_ex_data) \
    F(X509_VERIFY_PARAM_set1_host) F(X509_VERIFY_PARAM_set1_ip_asc) \
    F(X509_VERIFY_PARAM_set_hostflags) F(X509_get_subject_name) \
    F(X509_get_issuer_name) F(X509_NAME_oneline) F(X509_get0_notBefore) \
    F(X509_get0_notAfter) F(X509_get_ext_d2i) F(GENERAL_NAMES_free) \
    F(OPENSSL_sk_num) F(OPENSSL_sk_value) F(OPENSSL_sk_new_null) F(OPENSSL_sk_push) \
    F(OPENSSL_sk_pop_free) F(ASN1_STRING_get0_data) \
    F(ASN1_STRING_length) F(ASN1_TIME_to_tm)

struct tw_openssl {
#define TW_OPENSSL_FIELD(name) __typeof__(name) *name;
    TW_OPENSSL(TW_OPENSSL_FIELD)
#undef TW_OPENSSL_FIELD
};

/* NULL, or why there is none.  It is never closed: it has ends of threads to see to.
 * Thread: any.  Blocks: while the file is read, the first time. */
const char *tw_openssl_open(struct tw_openssl *out);

#endif
