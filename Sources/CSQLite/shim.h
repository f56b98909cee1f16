#include <netinet/in.h>
#include <sqlite3.h>
