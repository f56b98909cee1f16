// The calls and constants that Swift's Glibc module does not show: GNU extensions, variadic functions, macros with casts.
#pragma once
#include <netinet/in.h>
#include <sched.h>
#include <stdint.h>
#include <sys/types.h>

/// setns(2).
int clinux_setns(int fd, int nstype);
/// unshare(2).
int clinux_unshare(int flags);
