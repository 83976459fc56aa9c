import asyncio, subprocess, sys, tempfile, statistics as st, shutil, time, os
from pathlib import Path
from contextlib import ExitStack
from states.embedded import running, program
from states.db import migrate, engine
from crowd import gather, MORNING
from movers import clerks
from apart import apart
from states.words import Event
import sqlalchemy as sa
async def main():
    N=1000
    data=Path(os.environ.get("BENCH_DATA") or tempfile.mkdtemp(prefix="hoso-bench-"))
    with running(data) as pg:
        await asyncio.to_thread(migrate, pg.owner)
        own=engine(pg.owner)
        await gather(own,N,"2.000205",(Event.digitise,Event.route,Event.accept))
        async with own.connect() as db:
            codes=(await db.execute(sa.text(f"select code from dossier where id<={N//2} order by id"))).scalars().all()
        await own.dispose()
        def bench():
            out=subprocess.run([program("pgbench"),"-h",pg.socket,"-U","hoso_app","-n","-M","prepared","-c","16","-j","2","-T","3","-D",f"first={N//2+1}","-D",f"last={N}","-f",Path(__file__).parent/"move.sql","hoso"],capture_output=True,text=True,check=True).stdout
            return float(out.split("tps = ")[1].split()[0]), out
        with ExitStack() as s:
            lines=[s.enter_context(apart(clerks,pg.application,codes[n::2],8,MORNING)) for n in range(2)]
            def mine(sec=3):
                for l in lines: l.send(sec)
                r=sorted(x for l in lines for x in l.recv())
                return len(r)/sec, r[len(r)//2]*1e3, r[int(len(r)*.99)]*1e3
            mine(1)
            rows=[]
            for i in range(int(sys.argv[1])):
                a=mine(); b,out=bench(); rows.append((a[0]/b,*a,b)); print("ratio %.3f moves %.0f p50 %.1f p99 %.1f pgbench %.0f"%rows[-1],flush=True)
            print("median ratio %.3f  %.0f/s"%(st.median(r[0] for r in rows),st.median(r[1] for r in rows)))
    if "BENCH_DATA" not in os.environ: shutil.rmtree(data)
if __name__=="__main__": asyncio.run(main())
