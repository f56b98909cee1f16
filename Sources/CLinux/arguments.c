// Swift's runtime finds the command line by reading /proc/self/maps in an initializer, 0.06 ms in each start.
// The C library hands the same pointers to every constructor for nothing, so the release build drops that
// initializer (install.sh, `startup.ld`) and this constructor tells the runtime instead. Without the script, in a
// debug build or a test, it repeats what the runtime knows already.

/// Swift's own entry point for programs that start it with other arguments; weak, so that a program without it links.
extern void _swift_stdlib_overrideUnsafeArgvArgc(char **argv, int argc) __attribute__((weak));

__attribute__((constructor)) static void hand_arguments_to_swift(int argc, char **argv) {
  if (_swift_stdlib_overrideUnsafeArgvArgc) _swift_stdlib_overrideUnsafeArgvArgc(argv, argc);
}
