import CLinux
import Foundation
import Glibc
import Testing
import WireCore

@testable import WireLinux

/// A directory that goes with the test.
struct Scratch: ~Copyable {
  let path: String

  init() throws {
    var template = Array("/tmp/wirehook-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp", errno) }
    path = template.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
  }

  deinit { _ = Glibc.system("rm -rf '\(path)'") }
}

@Suite struct ProcessTests {
  @Test(arguments: [
    ("7 (a) S 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4242 1 2", "a", false, 4242),
    (
      "7 (a b) c) (d) Z 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 18446744073709551615 1", "a b) c) (d", true,
      UInt64.max
    ),
    ("7 ()) X 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 1", ")", true, 1),
  ])
  func aNameMayHoldAnything(_ line: String, _ name: String, _ isDead: Bool, _ startTime: UInt64) throws {
    let status = try #require(ProcessStatus(line: Array(line.utf8)))
    #expect(status.name == name)
    #expect(status.isDead == isDead)
    #expect(status.startTime == startTime)
  }

  @Test(arguments: [
    "", "7", "7 (a", "7 a) S 1", ")(", "7 (a) S 1 2 3", "7 (a) S 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 x",
  ])
  func aBrokenLineIsRefused(_ line: String) { #expect(ProcessStatus(line: Array(line.utf8)) == nil) }

  @Test func aProcessIsItselfUntilItEnds() throws {
    let child = try Child()
    let identity = try #require(try ProcessIdentity.of(pid: child.pid))
    let handle = try ProcessHandle(pid: child.pid)
    #expect(handle.identity == identity)
    #expect(identity.isAlive)
    let isAlive = handle.isAlive
    #expect(isAlive)
    #expect(!ProcessIdentity(pid: child.pid, startTime: identity.startTime + 1).isAlive)
    kill(child.pid, SIGKILL)
    while handle.isAlive { usleep(1000) }
    // It is a zombie now: nobody has waited for it.
    #expect(!identity.isAlive)
    #expect(throws: SystemError.self) { _ = try ProcessHandle(pid: child.pid) }
    child.wait()
    #expect(try ProcessIdentity.of(pid: child.pid) == nil)
  }

  @Test(arguments: [0, -1, Int32.max, Int32.min]) func aPidThatIsNoneHasNoProcess(_ pid: Int32) {
    #expect(throws: SystemError.self) { _ = try ProcessHandle(pid: pid) }
    #expect(!ProcessIdentity(pid: pid, startTime: 1).isAlive)
  }

  @Test func theBootHasAName() throws { #expect(UUID(uuidString: try ProcessIdentity.bootID()) != nil) }
}

@Suite struct NamespaceTests {
  @Test func namespacesAreToldApartAndLeftAgain() throws {
    try NetworkNamespace.withFresh {
      let home = try NetworkNamespace.current()
      #expect(try NamespaceIdentity.current() == home.identity)
      let container = try Container()
      #expect(container.namespace.identity != home.identity)
      #expect(try container.run { try NamespaceIdentity.current() } == container.namespace.identity)
      #expect(throws: Oops.self) { try container.run { throw Oops() } }
      #expect(try NamespaceIdentity.current() == home.identity)
    }
  }

  @Test func aProcessLeadsToItsNamespace() throws {
    try NetworkNamespace.withFresh {
      let child = try Child()
      let found = try NetworkNamespace.open(pid: child.pid)
      #expect(try found.identity == NamespaceIdentity.current())
      kill(child.pid, SIGKILL)
      child.wait()
      #expect(throws: SystemError.self) { _ = try NetworkNamespace.open(pid: child.pid) }
    }
  }

  @Test(arguments: ["/etc/passwd", "/proc/self/ns/mnt", "/tmp", "/nowhere", "/dev/zero"])
  func anotherFileIsNoNamespace(_ path: String) {
    #expect(throws: SystemError.self) { _ = try NetworkNamespace.open(path: path) }
  }

  @Test func settingsAreThoseOfTheThreadsNamespace() throws {
    try NetworkNamespace.withFresh {
      let container = try Container()
      let setting = Sysctl("net", "ipv4", "conf", "lo", "arp_notify")
      try container.run { try setting.write("1") }
      #expect(try setting.read() == "0")
      #expect(try container.run { try setting.read() } == "1")
      let absent = Sysctl("net", "ipv4", "conf", "eth7", "arp_notify")
      #expect(throws: SystemError("open", ENOENT, path: "/proc/sys/net/ipv4/conf/eth7/arp_notify")) {
        try absent.write("1")
      }
    }
  }

  @Test(arguments: [
    ("net.ipv4.ip_forward", "/proc/sys/net/ipv4/ip_forward"),
    ("net.ipv4.conf.eth0/10.forwarding", "/proc/sys/net/ipv4/conf/eth0.10/forwarding"),
    ("net/ipv4/conf/eth0.10/forwarding", "/proc/sys/net/ipv4/conf/eth0.10/forwarding"),
    ("kernel.hostname", nil), ("net", nil), ("", nil), ("net..x", nil), ("net/../kernel/hostname", nil),
    ("net.//.kernel", nil), ("net.ipv4.\u{0}", nil), ("/net/ipv4/x", nil), ("net.ipv4.", nil),
  ])
  func aKeyIsReadAsSysctlDoes(_ key: String, _ path: String?) { #expect(Sysctl(key: key)?.path == path) }
}

@Suite struct LockTests {
  @Test func aLockIsWaitedForAndItsHolderNamed() throws {
    let scratch = try Scratch()
    let path = scratch.path + "/lock"
    let lock = try RangeLock(path: path)
    let offset = UInt64(Int64.max)
    // flock(1) takes another kind of lock: so a program that takes ours.
    let child = try Child(locking: path, at: offset)
    #expect(try lock.tryLock(offset) == false)
    #expect(try lock.tryLock(offset - 1))
    let clock = ContinuousClock()
    let start = clock.now
    let expected = LockError.held(path: path, pid: child.pid, name: ProcessIdentity.name(ofPid: child.pid))
    #expect(throws: expected) { try lock.lock(offset, until: .after(milliseconds: 60)) }
    #expect((.milliseconds(50)...(.seconds(2))).contains(clock.now - start))
    child.killSoon()
    try lock.lock(offset, until: .soon)
    lock.unlock(offset)
    child.wait()
  }

  @Test func sharedLocksGoTogether() throws {
    let scratch = try Scratch()
    let path = scratch.path + "/lock"
    let lock = try RangeLock(path: path)
    let child = try Child(locking: path, at: 5, type: Int16(F_RDLCK))
    #expect(try lock.tryLock(5, .shared))
    #expect(try lock.tryLock(5, .exclusive) == false)
    kill(child.pid, SIGKILL)
    child.wait()
    #expect(try lock.tryLock(5, .exclusive))
  }
}

@Suite struct FileTests {
  @Test func readingIsBounded() throws {
    let scratch = try Scratch()
    try shell("cd \(scratch.path); printf 12345 > f; mkfifo p; ln -s f l; mkdir d; : > e; ln -s /etc/passwd out")
    #expect(try Files.read(scratch.path + "/f", limit: 5) == Array("12345".utf8))
    #expect(try Files.read(scratch.path + "/e", limit: 5).isEmpty)
    #expect(throws: SystemError.self) { try Files.read(scratch.path + "/f", limit: 4) }
    for other in ["p", "d"] {
      #expect(throws: SystemError("read", EINVAL, path: "\(scratch.path)/\(other)", reason: "it is not a regular file"))
      {
        try Files.read("\(scratch.path)/\(other)", limit: 5)
      }
    }
    #expect(try Files.read("/proc/self/mountinfo", limit: 1 << 20).count > 100)
    #expect(throws: SystemError.self) { try Files.read("/proc/self/mountinfo", limit: 10) }
    #expect(try Files.list(scratch.path) == ["d", "e", "f", "l", "out", "p"])

    let directory = try Directory(scratch.path)
    #expect(try directory.read("f", limit: 5).count == 5)
    #expect(throws: SystemError("open", ENOENT, path: scratch.path + "/none")) { try directory.read("none", limit: 5) }
    for way in ["l", "out", "d/../out"] {
      #expect(throws: SystemError("open", ELOOP, path: "\(scratch.path)/\(way)")) { try directory.read(way, limit: 5) }
    }
    for way in ["../f", "/etc/passwd"] {
      #expect(throws: SystemError("open", EXDEV, path: "\(scratch.path)/\(way)")) { try directory.read(way, limit: 5) }
    }
  }

  @Test func inputEndsByItsEndItsSizeOrItsTime() throws {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    let input = Descriptor(adopting: ends[0])
    let output = Descriptor(adopting: ends[1])
    write(output.raw, "hello", 5)
    #expect(throws: SystemError("read", ETIMEDOUT)) {
      try Files.readToEnd(of: input.raw, limit: 100, deadline: .after(milliseconds: 20))
    }
    write(output.raw, "hello", 5)
    #expect(throws: SystemError("read", EFBIG, reason: "more than 4 bytes")) {
      try Files.readToEnd(of: input.raw, limit: 4, deadline: .soon)
    }
    write(output.raw, "hello", 5)
    close(output.release())
    #expect(try Files.readToEnd(of: input.raw, limit: 5, deadline: .soon) == Array("hello".utf8))
  }

  @Test func aFileIsReplacedWholeAndKeepsItsModeAndOwner() throws {
    let scratch = try Scratch()
    try shell("cd \(scratch.path); echo old > f; chmod 640 f; chown 7:8 f")
    let directory = try Directory(scratch.path)
    try AtomicFile.write(Array("new".utf8), to: "f", in: directory)
    try AtomicFile.write(Array("other".utf8), to: "g", in: directory, mode: 0o600)
    #expect(
      try shell("cd \(scratch.path); cat f; stat -c ' %a %u %g' f; cat g; stat -c ' %a' g; ls -A")
        == "new 640 7 8\nother 600\nf\ng\n")
  }

  @Test func aDirectoryThatOthersChangeIsRefused() throws {
    let scratch = try Scratch()
    try shell(
      "cd \(scratch.path); mkdir -m 755 good; mkdir -m 777 open; mkdir other; chown 7 other; : > file; ln -s good link")
    try Files.makePrivateDirectory(scratch.path + "/new")
    try Files.makePrivateDirectory(scratch.path + "/new")
    try Files.makePrivateDirectory(scratch.path + "/good")
    #expect(try shell("stat -c %a \(scratch.path)/new") == "700\n")
    for (name, reason) in [
      ("open", "others may write to it (mode 777)"), ("other", "it belongs to uid 7, not to 0"),
      ("file", "it is not a directory"), ("link", "it is not a directory"),
    ] {
      #expect(throws: SystemError("use", EPERM, path: "\(scratch.path)/\(name)", reason: reason)) {
        try Files.makePrivateDirectory("\(scratch.path)/\(name)")
      }
    }
  }

  @Test func aLogTakesLinesAndNeverFails() throws {
    let scratch = try Scratch()
    let path = scratch.path + "/log"
    let log = Log(.file(path: path), threshold: .info).with("WIREHOOK_CONTAINER", "web\n1")
    #expect(log.write(.error, "a\nb"))
    #expect(log.write(.debug, "quiet") == false)
    let text = try shell("cat \(path)")
    #expect(text.hasSuffix("Z error wirehook: a\\x0ab WIREHOOK_CONTAINER=web\\x0a1\n"))
    #expect(text.split(separator: "\n").count == 1)
    #expect(try shell("stat -c %a \(path)") == "640\n")
    #expect(Log(.file(path: "/nowhere/log")).write(.error, "x") == false)
  }

  @Test func theJournalGetsOneDatagram() throws {
    let scratch = try Scratch()
    let path = scratch.path + "/socket"
    let journal = try Descriptor.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    var name = sockaddr_un()
    name.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
    try withUnsafeBytes(of: &name) { bytes in
      let start = try #require(bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self))
      try #require(bind(journal.raw, start, socklen_t(bytes.count)) == 0)
    }
    let log = Log(.journald).with("WIREHOOK_CONTAINER", "web")
    #expect(Log.send(log.datagram(.warning, "port 80: taken\n"), to: path))
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = recv(journal.raw, &buffer, buffer.count, 0)
    #expect(
      String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
        == "MESSAGE=port 80: taken\\x0a\nPRIORITY=4\nSYSLOG_IDENTIFIER=wirehook\nWIREHOOK_CONTAINER=web\n")
    #expect(Log.send("x", to: scratch.path + "/none") == false)
    // A journal that reads nothing must not hold us up: its queue fills, and lines are lost.
    #expect((0..<100_000).contains { _ in !Log.send("x", to: path) })
  }
}

private struct Oops: Error {}

/// A forked process that does nothing until it is killed.
private struct Child: ~Copyable {
  let pid: Int32

  init(locking path: String? = nil, at offset: UInt64 = 0, type: Int16 = Int16(F_WRLCK)) throws {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw SystemError("pipe", errno) }
    let file = path.map { open($0, O_RDWR) } ?? -1
    let position = Int64(offset)
    let (input, output) = (ends[0], ends[1])
    let child = fork()
    if child == 0 {
      if file >= 0 { _ = clinux_lock(file, type, position) }
      write(output, "x", 1)
      while true { pause() }
    }
    guard child > 0 else { throw SystemError("fork", errno) }
    pid = child
    var byte: UInt8 = 0
    read(input, &byte, 1)
    for end in [input, output] { close(end) }
    // Not `file`: closing it would drop this process's own locks of the same file.
  }

  func wait() {
    var status: Int32 = 0
    waitpid(pid, &status, 0)
  }

  /// From another process, in a moment.
  func killSoon() { _ = Glibc.system("(sleep 0.05; kill -9 \(pid)) &") }

  deinit { kill(pid, SIGKILL) }
}
