#include <netinet/in.h>
#include <sqlite3.h>

// What Swift does not see: variadic functions, and a macro that casts a number to a function pointer.

/// SQLite without its memory statistics, which cost a lock at each allocation. Only before the first connection.
static inline int csqlite_configure(void) { return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

/// Switches an option of one connection (SQLITE_DBCONFIG_…).
static inline int csqlite_set(sqlite3 *db, int option, int on) { return sqlite3_db_config(db, option, on, (int *)0); }

/// Binds a copy of `length` bytes of UTF-8.
static inline int csqlite_bind_text(sqlite3_stmt *statement, int index, const char *text, int length) {
  return sqlite3_bind_text(statement, index, text, length, SQLITE_TRANSIENT);
}

/// Binds a copy of `length` bytes; no bytes are an empty blob, not NULL.
static inline int csqlite_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, int length) {
  return length == 0 ? sqlite3_bind_zeroblob(statement, index, 0)
                     : sqlite3_bind_blob(statement, index, bytes, length, SQLITE_TRANSIENT);
}
