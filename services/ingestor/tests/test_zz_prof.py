import time, cProfile, pstats, json, tempfile, resource
from pathlib import Path
from datetime import datetime, UTC, timedelta
from hourbridge.ingestor.acceptor import Acceptor
from hourbridge.ingestor.amqp_events import AmqpIntake
from hourbridge.ingestor.imports.importer import Importer
from hourbridge.ingestor.imports.options import ImportOptions
from hourbridge.common.store.outbox import Outbox
from services.ingestor.tests.test_amqp_events import body, delivery
def test_amqp(store, clock):
    intake=AmqpIntake(Acceptor(clock),clock=clock)
    n=10000
    ds=[delivery(body(f"x{i}")) for i in range(n)]
    def go(ds):
        out=0
        for b in range(0,len(ds),500):
            with store.transaction() as c: out+=len(intake.handle(ds[b:b+500],c))
        return out
    go(ds[:1000])
    t=time.perf_counter();cpu=time.process_time()
    out=go(ds[1000:])
    print('\namqp',(n-1000)/(time.perf_counter()-t),'rec/s wall',(n-1000)/(time.process_time()-cpu),'rec/s own cpu',out)
    ds=[delivery(body(f"y{i}")) for i in range(5000)]
    p=cProfile.Profile(); p.enable(); go(ds); p.disable()
    pstats.Stats(p).sort_stats('tottime').print_stats(22)
def test_import(store,bus,clock,tmp_path):
    imp=Importer(store,Outbox(store,bus),Acceptor(clock),clock)
    f=tmp_path/'a.csv'
    with f.open('w') as s:
        s.write('id,staff,client,project,date,hours,billable,notes\n')
        for i in range(20000): s.write(f'{i},p{i%15},c{i%12},j{i%30},2026-03-{i%28+1:02},{(i%16+1)/4},yes,note {i}\n')
    for r in range(2):
        t=time.perf_counter();cpu=time.process_time()
        s=imp.import_file(f,ImportOptions(book='b',source='s',profile='generic_csv',as_of=datetime(2026,4,1,tzinfo=UTC)),actor='x')
        print('\nimport',s['outcomes'],20000/(time.perf_counter()-t),'rows/s wall',20000/(time.process_time()-cpu),'own cpu')
