import Glibc
import Testing
import WireLinux

@Suite(.enabled(if: Machine.hasRoot, "needs root")) struct FileTests {
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
}
