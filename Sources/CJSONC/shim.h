#include <netinet/in.h>
#include <json-c/json.h>

/// Parses one document of `length` bytes that is followed by a NUL, which json-c must be shown: without it a bare
/// number or `null` at the top could still go on. `*error` tells a document `null` from a failure: both return NULL.
static inline struct json_object *cjsonc_parse(const char *text, int length, int depth, enum json_tokener_error *error) {
  struct json_tokener *tokener = json_tokener_new_ex(depth);
  if (!tokener) {
    *error = json_tokener_error_size;
    return 0;
  }
  json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
  struct json_object *object = json_tokener_parse_ex(tokener, text, length + 1);
  *error = json_tokener_get_error(tokener);
  json_tokener_free(tokener);
  return object;
}
