#include <netinet/in.h>
#include <json-c/json.h>
