import Testing
import WireCore

@testable import WireState

/// The database refuses what must not happen, whatever the code does: raw SQL, without this module's checks.
@Suite struct ConstraintTests {
  private static let id = "'c1','web','web','/b','runc',1,2,3,4,1,5,'{}'"

  private let scratch: Scratch
  private let raw: RawConnection

  init() throws {
    scratch = try Scratch()
    _ = try scratch.open()
    raw = try RawConnection(scratch.file)
    for sql in [
      "PRAGMA foreign_keys=ON", "INSERT INTO container VALUES(\(Self.id))",
      "INSERT INTO container SELECT 'c2',name,owner,bundle,runtime,pid,2,3,4,status,created,document FROM container",
      "INSERT INTO link VALUES('wh1','c1')",
      "INSERT INTO lease VALUES('s',x'0a000001','web','eth0','c1',x'',NULL)",
      "INSERT INTO lease VALUES('s',x'0a000002','web','eth0',NULL,x'',7)",
      "INSERT INTO port VALUES(6,80,x'00000000','c1')", "INSERT INTO port VALUES(6,81,x'7f000001','c1')",
      "INSERT INTO network VALUES('front','f',1)",
    ] { try #require(raw.refusal(of: sql) == nil, "\(sql)") }
  }

  @Test(arguments: [
    ("INSERT INTO container VALUES(\(id))", "UNIQUE constraint failed: container.id"),
    ("INSERT INTO container VALUES('', NULL,'','','',1,1,1,1,1,1,'')", "CHECK"),
    ("INSERT INTO container VALUES(NULL, NULL,'','','',1,1,1,1,1,1,'')", "NOT NULL"),
    ("UPDATE container SET status = 3", "CHECK"),
    ("UPDATE container SET pid = 'one'", "cannot store TEXT value in INTEGER"),
    ("INSERT INTO link VALUES('wh1','c2')", "UNIQUE constraint failed: link.name"),
    ("INSERT INTO link VALUES('a name of 16 chr','c2')", "CHECK"),
    ("INSERT INTO link VALUES('wh2','nobody')", "FOREIGN KEY"),
    ("INSERT INTO lease VALUES('s',x'0a000001','db','eth0','c2',x'',NULL)", "UNIQUE constraint failed: lease.segment"),
    ("INSERT INTO lease VALUES('s',x'0a000002','db','eth0','c2',x'',NULL)", "UNIQUE constraint failed: lease.segment"),
    ("INSERT INTO lease VALUES('s',x'0a0000','db','eth0','c2',x'',NULL)", "CHECK"),
    ("INSERT INTO lease VALUES('s','10.0.0.9','db','eth0','c2',x'',NULL)", "cannot store TEXT value in BLOB"),
    ("INSERT INTO lease VALUES('s',x'0a000009','db','eth0','nobody',x'',NULL)", "FOREIGN KEY"),
    ("UPDATE lease SET container = NULL WHERE container = 'c1'", "CHECK"),
    ("UPDATE lease SET container = 'c2' WHERE container IS NULL", "CHECK"),
    ("DELETE FROM container WHERE id = 'c1'", "FOREIGN KEY"),
    ("INSERT INTO port VALUES(6,80,x'00000000','c2')", "UNIQUE constraint failed: port.transport"),
    ("INSERT INTO port VALUES(6,80,x'7f000001','c2')", "overlaps"),
    ("INSERT INTO port VALUES(6,81,x'00000000','c2')", "overlaps"),
    ("INSERT OR IGNORE INTO port VALUES(6,81,x'00000000','c2')", "overlaps"),
    ("INSERT OR REPLACE INTO port VALUES(6,81,x'00000000','c2')", "overlaps"),
    ("UPDATE port SET address = x'00000000' WHERE port = 81", "never changed"),
    ("INSERT INTO port VALUES(6,0,x'00000000','c2')", "CHECK"),
    ("INSERT INTO port VALUES(6,65536,x'00000000','c2')", "CHECK"),
    ("INSERT INTO port VALUES(6,82,x'00000000','nobody')", "FOREIGN KEY"),
    ("INSERT INTO network VALUES('front','g',2)", "UNIQUE constraint failed: network.name"),
    ("INSERT INTO pool VALUES('s',x'0a000001',x'09000001',x'')", "CHECK"),
    ("INSERT INTO pool VALUES('s',x'0a000001',x'0a000009',x'0a00000a')", "CHECK"),
  ])
  func isRefused(_ sql: String, _ reason: String) throws {
    #expect(try #require(raw.refusal(of: sql)).contains(reason))
  }

  @Test(arguments: [
    "INSERT INTO port VALUES(17,80,x'7f000001','c2')",
    "INSERT INTO port VALUES(6,80,x'00000000000000000000000000000000','c2')",
    "INSERT INTO port VALUES(6,81,x'7f000002','c2')",
    "INSERT INTO lease VALUES('t',x'0a000001','db','eth0','c2',x'',NULL)",
    "INSERT INTO lease VALUES('s',x'0a000001000000000000000000000000','db','eth0','c2',x'',NULL)",
  ])
  func isAllowed(_ sql: String) { #expect(raw.refusal(of: sql) == nil) }
}
